"""A graph and its cover as an SVG: one colour per star, centers filled, arrows in the direction of the edges."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike

from partgraph.covers import Star
from partgraph.drawing.colours import colours
from partgraph.drawing.layout import layout
from partgraph.errors import ProblemError
from partgraph.graph import Graph

_RADIUS = 7.0
_MARGIN = 28.0
_LETTER = 6.8  # width of one, at 12 px, generously
_BOW = 0.18  # how far a bent edge leaves the straight line, relative to its length
_ROW = 20.0

_STYLE = """
svg{--paper:#fff;--ink:#1f2328;--faint:#8b949e;font:12px system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--paper:#0d1117;--ink:#e6edf3;--faint:#7d8590}}
text{fill:var(--ink);stroke:var(--paper);stroke-width:3px;stroke-linejoin:round;paint-order:stroke}
.edge{fill:none;stroke:currentColor;stroke-width:2.5;stroke-linecap:round}
.head{fill:currentColor}
.part{fill:var(--paper);stroke:var(--faint);stroke-width:2}
.center{fill:currentColor;stroke:var(--paper);stroke-width:2}
.count{fill:var(--faint)}
"""


def draw_graph(graph: Graph, pose: ArrayLike | None = None, *, size: float = 480.0) -> str:
    """Return a picture of a graph and its stars.

    Parameters
    ----------
    graph : Graph
        N parts.
    pose : array, optional
        (N, D) float: where to draw the parts, by the first two axes, x to the right and y down. By default the
        graph's own pose, and without one the parts are laid out by their distances along the edges.
    size : float
        The longer side of the drawing without names, px.

    Returns
    -------
    str
        An SVG document, with colours for light and for dark screens.
    """
    places = _places(graph, pose, size)
    stars = graph.stars()
    drawn = [star for star in stars if star.leaves]
    colour = dict(zip((star.center for star in drawn), colours(len(drawn)), strict=True))
    labels = [_label(graph, places, part) for part in range(len(graph.parts))]
    rows = [_legend_row(graph, star, colour[star.center], k) for k, star in enumerate(drawn)]
    left = min(label.left for label in labels) - _MARGIN / 2
    right = max(label.right for label in labels)
    top = places[:, 1].min() - _MARGIN
    height = max(np.ptp(places[:, 1]) + 2 * _MARGIN, len(rows) * _ROW + _MARGIN)
    legend = max((len(graph.parts[star.center]) + 5 for star in drawn), default=0) * _LETTER + 2 * _MARGIN
    body = [
        *(_edge(graph, places, star, index, colour[star.center]) for star in drawn for index in star.edges),
        *(_part(place, colour.get(part)) for part, place in enumerate(places)),
        *(label.text for label in labels),
        f'<g transform="translate({right + _MARGIN:.1f} {top + _MARGIN:.1f})">{"".join(rows)}</g>',
    ]
    title = f"{len(graph.parts)} parts, {len(graph.edges)} edges, {len(stars)} stars"
    width = right - left + legend
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="{left:.1f} {top:.1f} {width:.1f} {height:.1f}">'
        f"<title>{title}</title><style>{_STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _places(graph: Graph, pose: ArrayLike | None, size: float) -> np.ndarray:
    """Return where the parts are drawn: (N, 2) px, of the given size."""
    given: Any = graph.pose if pose is None else pose
    places = np.asarray(given, dtype=np.float64) if len(given) else layout(graph)
    if (
        places.ndim != 2
        or len(places) != len(graph.parts)
        or places.shape[1] < 2
        or not np.isfinite(places).all()
    ):
        raise ProblemError(
            f"a pose to draw must be finite, of shape ({len(graph.parts)}, 2 or more); found {places.shape}"
        )
    places = places[:, :2] - places[:, :2].min(0)
    extent = places.max()
    return places * (size / extent) if extent > 0 else places


# -- edges -------------------------------------------------------------------------------------------------------


def _edge(graph: Graph, places: np.ndarray, star: Star, index: int, colour: str) -> str:
    """Return an edge of a star, bent where its reverse is an edge too, or another part is in its way."""
    i, j = graph.edges[index]
    start, end = places[i], places[j]
    others = np.delete(places, [i, j], axis=0)
    bow = _BOW if (j, i) in graph.edges else _detour(start, end, others)
    along = end - start
    middle = (start + end) / 2 + bow * np.array(
        [along[1], -along[0]]
    )  # where the curve is pulled to: twice as far
    control = 2 * middle - (start + end) / 2
    points = [_quadratic(start, control, end, t) for t in np.linspace(0, 1, 101)]
    outside = [p for p in points if min(np.linalg.norm(p - start), np.linalg.norm(p - end)) > _RADIUS + 2]
    path = f"M{_pair(start)}Q{_pair(control)} {_pair(end)}"
    return (
        f'<g style="color:{colour}"><title>{escape(graph.edge_name(index))}, star of '
        f'{escape(graph.parts[star.center])}</title><path class="edge" d="{path}"/>{_head(outside)}</g>'
    )


def _detour(start: np.ndarray, end: np.ndarray, others: np.ndarray) -> float:
    """Return how far to bend an edge so that it passes the parts that are on its straight way."""
    along = end - start
    length = float(np.linalg.norm(along))
    if length == 0 or not len(others):
        return 0.0
    share = (others - start) @ along / length**2
    aside = (others - start) @ np.array([along[1], -along[0]]) / length
    near = (share > 0.05) & (share < 0.95) & (np.abs(aside) < _RADIUS + 5)
    if not near.any():
        return 0.0
    return -_BOW if aside[near].mean() > 0 else _BOW


def _quadratic(start: np.ndarray, control: np.ndarray, end: np.ndarray, t: float) -> np.ndarray:
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def _head(points: list[np.ndarray]) -> str:
    """Return an arrow head a little behind the middle of a curve."""
    if len(points) < 3:
        return ""
    k = min(max(1, int(0.62 * len(points))), len(points) - 1)
    forward = points[k] - points[k - 1]
    norm = float(np.linalg.norm(forward))
    if norm == 0:
        return ""
    forward = forward / norm
    aside = np.array([forward[1], -forward[0]])
    tip, base = points[k] + 5 * forward, points[k] - 5 * forward
    return f'<path class="head" d="M{_pair(tip)}L{_pair(base + 5 * aside)}L{_pair(base - 5 * aside)}Z"/>'


def _pair(point: Iterable[float]) -> str:
    return " ".join(f"{value:.1f}" for value in point)


# -- parts and names ---------------------------------------------------------------------------------------------


def _part(place: np.ndarray, colour: str | None) -> str:
    x, y = place
    at = f'cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS:g}"'
    if colour is None:
        return f'<circle class="part" {at}/>'
    return f'<circle class="center" style="color:{colour}" {at}/>'


@attrs.frozen
class _Label:
    text: str
    left: float
    right: float


def _label(graph: Graph, places: np.ndarray, part: int) -> _Label:
    """Return a part's name on the side that its edges leave free."""
    x, y = places[part]
    directions = [places[sum(edge) - part] - places[part] for edge in graph.edges if part in edge]
    units = [own / max(float(np.linalg.norm(own)), 1e-9) for own in directions]
    options = {"start": (1.0, 0.0), "end": (-1.0, 0.0)}
    anchor = max(
        options, key=lambda side: -max((float(np.dot(options[side], unit)) for unit in units), default=0)
    )
    name = graph.parts[part]
    width = len(name) * _LETTER
    shift = _RADIUS + 5 if anchor == "start" else -_RADIUS - 5
    text = f'<text x="{x + shift:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">{escape(name)}</text>'
    return _Label(text, x + shift - width * (anchor == "end"), x + shift + width * (anchor == "start"))


def _legend_row(graph: Graph, star: Star, colour: str, row: int) -> str:
    leaves = ", ".join(graph.parts[leaf] for leaf in star.leaves)
    return (
        f'<g transform="translate(0 {row * _ROW:g})"><title>{escape(leaves)}</title>'
        f'<circle class="center" style="color:{colour}" r="{_RADIUS - 1:g}"/>'
        f'<text x="14" y="4">{escape(graph.parts[star.center])} '
        f'<tspan class="count">{len(star.leaves)}</tspan></text></g>'
    )
