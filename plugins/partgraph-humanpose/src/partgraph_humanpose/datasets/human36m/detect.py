"""Which layout a folder is in."""

from __future__ import annotations

from pathlib import Path

from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.human36m.cdf import Cdf
from partgraph_humanpose.datasets.human36m.fetch import Fetch
from partgraph_humanpose.datasets.human36m.layout import Layout
from partgraph_humanpose.datasets.human36m.mmpose import MMPose
from partgraph_humanpose.datasets.human36m.pavlakos import Pavlakos
from partgraph_humanpose.datasets.human36m.videopose3d import VideoPose3D

LAYOUTS: tuple[type[Layout], ...] = (Fetch, MMPose, Pavlakos, Cdf, VideoPose3D)
"""In the order in which they are tried: those with extracted frames first, which read fastest."""


def find_layout(folder: Path) -> Layout | None:
    """The layout of a folder, None when it is in none of them."""
    return next((layout(folder) for layout in LAYOUTS if layout.recognises(folder)), None)


def layout_of(folder: Path) -> Layout:
    """The layout of a folder.

    Raises
    ------
    DataError
        When it is in none.
    """
    found = find_layout(folder)
    if found is None:
        known = "; ".join(layout.title.partition(", ")[2] for layout in LAYOUTS)
        there = "no such folder" if not folder.is_dir() else "none of them"
        raise DataError(
            folder, f"Human3.6M in one of the layouts {known}", there, "see docs/data.md for their files"
        )
    return found
