"""Reconstruction errors that the paper prints for S9 and S11: its own in tables 1 and 3, and others' in table 2."""

from __future__ import annotations

from partgraph.learning.dataset import Published
from partgraph_humanpose.datasets.human36m.protocol import ACTIONS, CAMERAS

_PAPER = "Kinauer et al."

# mm, actions in the order of ACTIONS, then the average.
_TABLE_1 = {
    "unary-only": (
        *(49.69, 49.45, 47.77, 50.69, 54.80, 57.35, 43.76, 44.11),
        *(65.39, 95.76, 53.53, 46.27, 51.53, 41.59, 49.52, 53.48),
    ),
    "center-star": (
        *(49.41, 49.26, 47.35, 49.93, 50.97, 56.12, 43.62, 43.43),
        *(61.50, 78.09, 52.51, 45.88, 50.63, 41.08, 49.41, 51.42),
    ),
    "stick-figure": (
        *(49.13, 49.19, 47.15, 49.70, 50.50, 55.57, 43.53, 43.59),
        *(60.14, 79.46, 51.52, 45.74, 50.59, 40.73, 49.33, 51.12),
    ),
    "extended-stick-figure": (
        *(49.16, 49.07, 47.35, 49.82, 50.67, 55.45, 43.60, 43.57),
        *(59.94, 78.51, 51.42, 46.01, 50.39, 40.89, 49.32, 51.08),
    ),
    "two-hop": (
        *(48.89, 48.75, 47.07, 49.40, 49.82, 55.31, 43.30, 43.47),
        *(60.48, 78.20, 51.69, 45.63, 50.16, 40.74, 49.17, 50.87),
    ),
}

# mm, with the years of the papers cited.
_TABLE_2 = {
    "Yasin et al., 2016": 108.3,
    "Rogez and Schmid, 2016": 88.1,
    "Tome et al., 2017": 70.7,
    "Pavlakos et al., 2016": 53.2,
}

# mm, cameras in the order of CAMERAS, then the average; the last row is over both subjects.
_TABLE_3 = {
    "S9": (55.62, 51.24, 56.10, 55.22, 54.54),
    "S11": (51.14, 42.86, 47.83, 41.90, 45.91),
    "": (53.72, 47.64, 52.59, 49.57),
}


def _table_3() -> dict[str, float]:
    cells = {
        f"{subject}/{camera}".removeprefix("/"): error
        for subject, errors in _TABLE_3.items()
        for camera, error in zip(CAMERAS, errors, strict=False)
    }
    return cells | {subject: errors[-1] for subject, errors in _TABLE_3.items() if subject}


PUBLISHED: tuple[Published, ...] = (
    *(Published(method, f"{_PAPER}, table 2", {"": error}) for method, error in _TABLE_2.items()),
    *(
        Published(graph, f"{_PAPER}, table 1", dict(zip((*ACTIONS, ""), errors, strict=True)))
        for graph, errors in _TABLE_1.items()
    ),
    Published("two-hop", f"{_PAPER}, table 3", _table_3()),
)
