"""A small SVG writer: lines, polygons, dots, text and pictures, in the order in which they are put on the canvas."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from partgraph.report.images import data_uri, pillow
from partgraph.report.palette import PAPER

INK, FAINT = "#1f2328", "#8b949e"
_SMOOTH = 480  # px


class Canvas:
    """An SVG document in the making; every position is in pixels, x to the right and y down."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._elements: list[str] = []

    def line(
        self, points: ArrayLike, colour: str, width: float = 1.0, *, opacity: float = 1.0, dash: str = ""
    ) -> None:
        """A line with round ends through `points` (n, 2)."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._put(
            f'<polyline points="{_points(points)}" fill="none" stroke="{colour}" stroke-width="{width:.2f}" '
            f'stroke-linecap="round" stroke-linejoin="round"{_opacity(opacity)}{dashed}/>'
        )

    def polygon(self, points: ArrayLike, fill: str, *, opacity: float = 1.0, edge: str = "none") -> None:
        """A filled polygon with corners `points` (n, 2)."""
        self._put(
            f'<polygon points="{_points(points)}" fill="{fill}" stroke="{edge}" stroke-width="0.5"{_opacity(opacity)}/>'
        )

    def dot(self, at: ArrayLike, radius: float, fill: str, *, edge: str = PAPER[0]) -> None:
        """A disc around `at` (2,)."""
        x, y = np.asarray(at, np.float64)
        self._put(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.2f}" fill="{fill}" stroke="{edge}" stroke-width="0.8"/>'
        )

    def arrow(self, start: ArrayLike, end: ArrayLike, colour: str, width: float = 1.4) -> None:
        """An arrow, its head no longer than itself."""
        start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
        length = float(np.linalg.norm(end - start))
        if length < 0.5:
            return
        along = (end - start) / length
        across = np.array([-along[1], along[0]])
        head = min(3.6 * width, length)
        neck = end - head * along
        self.line([start, neck], colour, width)
        self.polygon([end, neck + 0.42 * head * across, neck - 0.42 * head * across], colour)

    def text(
        self, at: ArrayLike, text: str, *, size: float = 13, anchor: str = "middle", colour: str = INK
    ) -> None:
        """Text whose base line begins, has its middle or ends at `at` (2,): "start", "middle" or "end"."""
        x, y = np.asarray(at, np.float64)
        self._put(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" fill="{colour}">'
            f"{escape(text)}</text>"
        )

    def picture(self, image: NDArray[np.uint8], corners: ArrayLike, *, opacity: float = 1.0) -> None:
        """A picture (H, W, 3) spread between its upper left, upper right and lower left corners (3, 2)."""
        image = _enlarged(image)
        height, width = image.shape[:2]
        origin, right, down = np.asarray(corners, np.float64)
        columns = (*((right - origin) / width), *((down - origin) / height), *origin)
        matrix = " ".join(f"{value:.5f}" for value in columns)
        self._put(
            f'<image width="{width}" height="{height}" transform="matrix({matrix})" preserveAspectRatio="none"'
            f'{_opacity(opacity)} href="{data_uri(image)}"/>'
        )

    def svg(self) -> str:
        """The document, on white: pictures and their colours are made for it."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{self.width:g}" height="{self.height:g}" font-family="system-ui, sans-serif">\n'
            f'<rect width="100%" height="100%" fill="{PAPER[0]}"/>\n'
            + "\n".join(self._elements)
            + "\n</svg>\n"
        )

    def _put(self, element: str) -> None:
        self._elements.append(element)


def _enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A small crop with smooth transitions, which viewers of SVG would show as squares."""
    height, width = image.shape[:2]
    factor = -(-_SMOOTH // max(height, width))
    size = width * factor, height * factor
    return image if factor == 1 else np.asarray(pillow().fromarray(image).resize(size, pillow().BICUBIC))


def _points(points: ArrayLike) -> str:
    rows: Iterable[NDArray[np.float64]] = np.asarray(points, np.float64)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in rows)


def _opacity(opacity: float) -> str:
    return "" if opacity >= 1 else f' opacity="{opacity:.3f}"'
