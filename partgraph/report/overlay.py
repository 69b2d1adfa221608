"""Static pictures of poses: drawn over their image, and seen from the front, the side and the top."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from partgraph.report import palette
from partgraph.report.cases import Pose, Skeleton
from partgraph.report.images import pillow

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

_SAMPLES = 3  # per pixel and axis: drawn this much larger, then reduced, for smooth edges

# What the screen's right and down are in the pose's axes: x right, y down, z away. The side view is from the right.
_VIEWS = {
    "front": np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
    "side": np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
    "top": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]),
}


def draw_overlay(
    image: np.ndarray,
    skeleton: Skeleton,
    poses: Sequence[Pose],
    truth: Pose | None = None,
    *,
    size: int = 640,
) -> np.ndarray:
    """The image with poses drawn over it, in the colours of a report.

    Parameters
    ----------
    image : array
        (H, W, 3) uint8, RGB.
    skeleton : Skeleton
        That of every pose.
    poses : sequence of Pose
        In pixels of the image, later ones on top.
    truth : Pose or None
        Drawn beneath the others.
    size : int
        Pixels of the result's longer side; a small crop is enlarged to it, a large photograph reduced.

    Returns
    -------
    array
        (H', W', 3) uint8, RGB.
    """
    _check_parts(skeleton, poses, truth)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"draw_overlay: image is {image.dtype} of shape {image.shape}; expected uint8 of shape (H, W, 3)."
        )
    height, width = image.shape[:2]
    scale = size / max(height, width)
    result = round(width * scale), round(height * scale)
    canvas = pillow().fromarray(image).resize((result[0] * _SAMPLES, result[1] * _SAMPLES), pillow().BICUBIC)
    for colour, weight, pose in _drawn(poses, truth):
        points = pose.positions[:, :2] * scale * _SAMPLES
        _draw_pose(canvas, skeleton, points, colour, weight * size * _SAMPLES / 100)
    return np.asarray(canvas.resize(result, pillow().LANCZOS))


def draw_views(
    skeleton: Skeleton, poses: Sequence[Pose], truth: Pose | None = None, *, size: int = 320
) -> np.ndarray:
    """Poses from the front, the side and the top on white, each about its own centre, in one scale.

    Parameters
    ----------
    skeleton : Skeleton
        That of every pose.
    poses, truth : Pose
        As for `draw_overlay`, with 3D positions.
    size : int
        Pixels of each of the three square views.

    Returns
    -------
    array
        (size, 3 * size, 3) uint8, RGB.
    """
    _check_parts(skeleton, poses, truth)
    centred = [
        (colour, weight, pose.positions - np.nanmean(pose.positions, axis=0))
        for colour, weight, pose in _drawn(poses, truth)
        if not np.isnan(pose.positions).any(axis=1).all()
    ]
    if not centred or any(positions.shape[1] != 3 for *_, positions in centred):
        raise ValueError(
            "draw_views: expected at least one pose of known parts, all poses with (N, 3) positions."
        )
    radius = max(float(np.nanmax(np.abs(positions))) for *_, positions in centred)
    side = size * _SAMPLES
    sheet = pillow().new("RGB", (3 * side, side), palette.PAPER[0])
    for index, (name, axes) in enumerate(_VIEWS.items()):
        view = pillow().new("RGB", (side, side), palette.PAPER[0])
        for colour, weight, positions in centred:
            points = positions @ axes.T * (0.42 * side / max(radius, 1e-9)) + side / 2
            _draw_pose(view, skeleton, points, colour, weight * side / 100)
        _label(view, name)
        sheet.paste(view, (index * side, 0))
    return np.asarray(sheet.resize((3 * size, size), pillow().LANCZOS))


def _drawn(poses: Sequence[Pose], truth: Pose | None) -> list[tuple[str, float, Pose]]:
    """Colour, weight of the line and pose in drawing order: the truth is a broad band beneath the others."""
    if len(poses) > palette.MAX_POSES:
        raise ValueError(
            f"Found {len(poses)} poses; at most {palette.MAX_POSES} can be told apart by colour."
        )
    drawn = [(shades[0], 1.0, pose) for shades, pose in zip(palette.POSES, poses, strict=False)]
    return drawn if truth is None else [(palette.TRUTH[0], 2.0, truth), *drawn]


def _check_parts(skeleton: Skeleton, poses: Iterable[Pose], truth: Pose | None) -> None:
    for pose in (*poses, *([] if truth is None else [truth])):
        if len(pose.positions) != len(skeleton.parts):
            raise ValueError(
                f"Pose {pose.name!r} has {len(pose.positions)} parts, the skeleton {len(skeleton.parts)}; "
                "give every part a row, NaN where its position is unknown."
            )


def _draw_pose(canvas: Image, skeleton: Skeleton, points: np.ndarray, colour: str, width: float) -> None:
    """Draw one pose; `points` (N, 2) float64 and `width` in pixels of the canvas."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(canvas)
    limbs = [
        (points[list(limb)], side)
        for limb, side in zip(skeleton.limbs, skeleton.limb_sides(), strict=True)
        if not np.isnan(points[list(limb)]).any()
    ]
    for ends, _ in limbs:
        _stroke(draw, ends, palette.PAPER[0], width + 2.5 * _SAMPLES)
    for ends, side in limbs:
        _stroke(draw, ends, palette.fainter(colour) if side == "left" else colour, width)


def _stroke(draw: ImageDraw, ends: np.ndarray, colour: str | tuple[int, int, int], width: float) -> None:
    """A line with round ends; `ends` (2, 2) float64."""
    draw.line([tuple(point) for point in ends], fill=colour, width=max(1, round(width)))
    for x, y in ends:
        draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=colour)


def _label(view: Image, text: str) -> None:
    from PIL import ImageDraw, ImageFont

    side = view.size[0]
    font = ImageFont.load_default(size=side / 22)
    ImageDraw.Draw(view).text((side / 2, side * 0.97), text, font=font, fill=palette.TRUTH[0], anchor="ms")
