"""Figure 2 of the paper: the voxels that a network scores for a part, and the residuals that move their centres."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.report import palette
from partgraph.report.figures.canvas import FAINT, INK, Canvas
from partgraph.report.figures.view import View

_SIDE = 470.0  # px of a panel
_FAINTEST = 0.04  # of the best voxel's probability: what is less is not drawn
_MOST, _FEW = 60, 8  # voxels of a part that is shown on its own, and of one among all
_YAW, _PITCH = -38.0, 17.0

_CORNERS = np.array(list(itertools.product((0, 1), repeat=3)), np.float64) - 0.5
_FACES = {(axis, end): np.flatnonzero(_CORNERS[:, axis] == end) for axis in range(3) for end in (-0.5, 0.5)}


@final
@attrs.frozen(eq=False)
class Voxels:
    """The candidates of one part, before and after quantised regression.

    Attributes
    ----------
    part : its name
    centers, refined : (K, 3) float, px of the crop, depth from the root: the voxels, and where residuals move them
    scores : (K,) float, logarithms of probabilities up to a constant
    """

    part: str
    centers: NDArray[np.floating]
    refined: NDArray[np.floating]
    scores: NDArray[np.floating]

    def likely(self, most: int = _MOST) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Indices of the voxels worth drawing, best first, and their probabilities relative to the best one's."""
        order = np.argsort(-np.asarray(self.scores, np.float64), kind="stable")[:most]
        relative = np.exp(np.asarray(self.scores, np.float64)[order] - float(np.max(self.scores)))
        return order[relative >= _FAINTEST], relative[relative >= _FAINTEST]


def voxel_figure(
    image: NDArray[np.uint8],
    parts: Sequence[Voxels],
    shown: Sequence[str],
    truth: NDArray[np.floating] | None = None,
) -> str:
    """The voxels of some parts with their residual vectors, and the residual vectors of all parts, as an SVG.

    Parameters
    ----------
    image : (S, S, 3) uint8, RGB: the crop, which stands behind the voxels
    parts : of all N parts
    shown : names of those whose voxels are drawn, at most five
    truth : (N, 3) float, px of the crop, or None
    """
    canvas = Canvas(2 * _SIDE, _SIDE + 34)
    side = float(len(image))
    index = {own.part: k for k, own in enumerate(parts)}
    colours = {name: palette.POSES[k][0] for k, name in enumerate(shown)}
    chosen = [parts[index[name]] for name in shown]
    edge = _edge(parts[0].centers)
    for panel in range(2):
        view = View(
            _YAW,
            _PITCH,
            0.66 * _SIDE / side,
            (side / 2, side / 2, 0.0),
            ((panel + 0.5) * _SIDE, _SIDE / 2 - 4),
        )
        box = _box(side, 2 * max(float(abs(own.centers[:, 2]).max()) for own in parts) + edge)
        _draw_box(canvas, view, image, box)
        if panel == 0:
            _draw_voxels(canvas, view, chosen, [colours[own.part] for own in chosen], edge)
        for own in parts if panel == 1 else chosen:
            colour = colours.get(own.part, INK) if panel == 1 else INK
            _draw_residuals(canvas, view, own, colour, _FEW if panel == 1 else _MOST)
        if truth is not None:
            for own in parts if panel == 1 else chosen:
                at = view(truth[index[own.part]])
                canvas.dot(at, 3.4, colours.get(own.part, palette.TRUTH[0]))
    _legend(canvas, colours, truth is not None)
    return canvas.svg()


def _legend(canvas: Canvas, colours: dict[str, str], truth: bool) -> None:
    y = _SIDE + 18
    width = 15 * 7.2
    start = _SIDE / 2 - width * len(colours) / 2
    for k, (name, colour) in enumerate(colours.items()):
        x = start + k * width
        canvas.polygon([(x, y - 10), (x + 11, y - 10), (x + 11, y + 1), (x, y + 1)], colour, opacity=0.75)
        canvas.text((x + 16, y), name, anchor="start")
    words = "residual vectors of the likeliest voxels of all parts" + (
        "; dots are the truth" if truth else ""
    )
    canvas.text((1.5 * _SIDE, y), words)


def _box(side: float, depth: float) -> NDArray[np.float64]:
    """(8, 3): corners of the cube of voxels."""
    return (_CORNERS + np.array([0.5, 0.5, 0])) * (side, side, depth)


def _draw_box(canvas: Canvas, view: View, image: NDArray[np.uint8], corners: NDArray[np.float64]) -> None:
    """The cube's edges, and the image on the wall behind it."""
    far = corners[_CORNERS[:, 2] > 0]  # (x, y) = (0, 0), (0, 1), (1, 0), (1, 1)
    canvas.picture(image, view(far[[0, 2, 1]]), opacity=0.62)
    for first, second in itertools.combinations(range(8), 2):
        if np.count_nonzero(_CORNERS[first] != _CORNERS[second]) == 1:
            canvas.line(view(corners[[first, second]]), FAINT, 0.7, opacity=0.7)


def _draw_voxels(
    canvas: Canvas, view: View, parts: Sequence[Voxels], colours: Sequence[str], edge: float
) -> None:
    """Cubes, the farthest first, the less transparent the more likely."""
    cubes = [
        (float(view.depth(own.centers[k])), own.centers[k], colour, float(probability))
        for own, colour in zip(parts, colours, strict=True)
        for k, probability in zip(*own.likely(), strict=True)
    ]
    for _, center, colour, probability in sorted(cubes, key=lambda cube: -cube[0]):
        corners = center + _CORNERS * edge * 0.94
        for axis, end in _FACES:
            outward = np.zeros(3)
            outward[axis] = end
            if (view.rotation @ outward)[2] < 0:  # towards the viewer
                face = corners[_FACES[axis, end]][[0, 1, 3, 2]]
                canvas.polygon(
                    view(face), _shade(colour, axis), opacity=0.12 + 0.68 * probability, edge=palette.PAPER[0]
                )


def _shade(colour: str, axis: int) -> str:
    """The colour of a cube's face: light from above, dark from the side."""
    factor = (0.82, 1.14, 1.0)[axis]
    return "#" + "".join(f"{min(255, round(int(colour[k : k + 2], 16) * factor)):02x}" for k in (1, 3, 5))


def _draw_residuals(canvas: Canvas, view: View, own: Voxels, colour: str, most: int) -> None:
    """Arrows from the centres of likely voxels to where their residuals move them."""
    order, relative = own.likely(most)
    for k, probability in zip(order[::-1], relative[::-1], strict=True):
        canvas.arrow(view(own.centers[k]), view(own.refined[k]), colour, 0.7 + 0.9 * float(probability))


def _edge(centers: NDArray[np.floating]) -> float:
    """Side of a voxel: the smallest distance of two centres along x."""
    apart = np.diff(np.unique(np.asarray(centers, np.float64)[:, 0]))
    return float(apart.min()) if len(apart) else 1.0
