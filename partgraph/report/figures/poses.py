"""Figures 3 and 4 of the paper: what methods find against the truth, and one pose from several sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from partgraph.metrics import similarity_transform
from partgraph.report import palette
from partgraph.report.cases import Pose, Skeleton
from partgraph.report.figures.canvas import FAINT, Canvas
from partgraph.report.figures.view import View

_SIDE = 260.0  # px of a panel
_HEAD = 26.0  # px of the line of titles
_PITCH = 14.0
_YAWS = (-35.0, 55.0)  # of the rows of figure 3
_TURNS = (-50.0, 50.0, 130.0)  # of the columns of figure 4
_SIDES = {"left": palette.POSES[0][0], "right": palette.POSES[1][0], "center": "#57606a"}


def comparison_figure(
    image: NDArray[np.uint8], skeleton: Skeleton, poses: Sequence[Pose], truth: Pose | None
) -> str:
    """The image, and beside it each pose against the truth from two sides, as an SVG.

    Parameters
    ----------
    image : (S, S, 3) uint8, RGB
    poses : at most five, in px of the image, with 3D positions; their errors, where known, stand above them
    truth : drawn beneath each of them, moved, turned and scaled onto which they are shown; None where not known
    """
    known = truth or poses[0]
    shown = [pose if truth is None else _onto(pose, truth) for pose in poses]
    canvas = Canvas(_SIDE * (1 + len(poses)), _HEAD + _SIDE * len(_YAWS))
    every = [known.positions, *(pose.positions for pose in shown)]
    limbs = len(skeleton.limbs)
    for row, yaw in enumerate(_YAWS):
        top = _HEAD + row * _SIDE
        over, colour = (
            (known, palette.TRUTH[0]) if row == 0 and truth else (poses[-1], palette.POSES[len(poses) - 1][0])
        )
        _draw_image(canvas, image, top)
        flat = over.positions[:, :2] * (_SIDE / len(image)) + (0, top)
        _draw_pose(canvas, skeleton, flat, [colour] * limbs, 3.2)
        for column, (pose, shades) in enumerate(zip(shown, palette.POSES, strict=False), start=1):
            view = _view(every, yaw, ((column + 0.5) * _SIDE, top + _SIDE / 2))
            _draw_floor(canvas, view, every)
            if truth is not None:
                _draw_pose(
                    canvas,
                    skeleton,
                    view(truth.positions),
                    [palette.TRUTH[0]] * limbs,
                    5.0,
                    view.depth(truth.positions),
                )
            _draw_pose(
                canvas, skeleton, view(pose.positions), [shades[0]] * limbs, 3.2, view.depth(pose.positions)
            )
    canvas.text((_SIDE / 2, 17), f"truth; below: {poses[-1].name}" if truth is not None else poses[-1].name)
    for column, pose in enumerate(poses, start=1):
        error = "" if pose.error is None else f", {pose.error:.0f} mm"
        canvas.text(((column + 0.5) * _SIDE, 17), pose.name + error)
    return canvas.svg()


def views_figure(image: NDArray[np.uint8], skeleton: Skeleton, poses: Sequence[Pose]) -> str:
    """The image with a pose over it, and the pose from three sides, a row for each pose, as an SVG.

    Parameters
    ----------
    image : (S, S, 3) uint8, RGB
    poses : in px of the image, with 3D positions; left and right limbs differ in colour
    """
    canvas = Canvas(_SIDE * (1 + len(_TURNS)), (_HEAD + _SIDE) * len(poses))
    colours = [_SIDES[side] for side in skeleton.limb_sides()]
    for row, pose in enumerate(poses):
        top = row * (_HEAD + _SIDE) + _HEAD
        canvas.text((_SIDE / 2, top - 9), pose.name)
        _draw_image(canvas, image, top)
        flat = pose.positions[:, :2] * (_SIDE / len(image)) + (0, top)
        _draw_pose(canvas, skeleton, flat, colours, 3.6, pose.positions[:, 2])
        for column, yaw in enumerate(_TURNS, start=1):
            view = _view([pose.positions], yaw, ((column + 0.5) * _SIDE, top + _SIDE / 2))
            _draw_floor(canvas, view, [pose.positions])
            _draw_pose(canvas, skeleton, view(pose.positions), colours, 4.2, view.depth(pose.positions))
            canvas.text(
                ((column + 0.5) * _SIDE, top - 9), f"turned by {yaw:.0f}°".replace("-", "−"), colour=FAINT
            )
    return canvas.svg()


def _onto(pose: Pose, truth: Pose) -> Pose:
    moved = similarity_transform(pose.positions, truth.positions)(pose.positions)
    return Pose(pose.name, moved, pose.error)


def _view(poses: Sequence[NDArray[np.float64]], yaw: float, at: tuple[float, float]) -> View:
    """One that shows all of the poses, whatever it is turned to."""
    points = np.concatenate(poses)
    center = (points.min(0) + points.max(0)) / 2
    radius = float(np.linalg.norm(points - center, axis=1).max())
    return View(yaw, _PITCH, 0.42 * _SIDE / max(radius, 1e-9), center, at)


def _draw_floor(canvas: Canvas, view: View, poses: Sequence[NDArray[np.float64]]) -> None:
    """A round grid under the lowest part, so that one sees where the poses face."""
    low = np.concatenate(poses)[:, 1].max()
    radius = 0.44 * _SIDE / view.scale
    for tick in np.linspace(-1, 1, 9)[1:-1]:
        reach = np.sqrt(1 - tick**2)
        for ends in (((tick, -reach), (tick, reach)), ((-reach, tick), (reach, tick))):
            line = [(view.center[0] + radius * x, low, view.center[2] + radius * z) for x, z in ends]
            canvas.line(view(line), FAINT, 0.7, opacity=0.35)


def _draw_image(canvas: Canvas, image: NDArray[np.uint8], top: float) -> None:
    canvas.picture(image, [(0, top), (_SIDE, top), (0, top + _SIDE)])


def _draw_pose(
    canvas: Canvas,
    skeleton: Skeleton,
    points: NDArray[np.float64],
    colours: Sequence[str],
    width: float,
    depth: NDArray[np.floating] | None = None,
) -> None:
    """Limbs from the farthest to the nearest, each cased in white so that crossings read."""
    limbs = [(k, list(limb)) for k, limb in enumerate(skeleton.limbs)]
    if depth is not None:
        limbs.sort(key=lambda limb: -float(depth[limb[1]].mean()))
    for k, limb in limbs:
        canvas.line(points[limb], palette.PAPER[0], width + 2.2, opacity=0.85)
        canvas.line(points[limb], colours[k], width)
    for k, limb in limbs:
        for end in limb:
            canvas.dot(points[end], 0.72 * width, colours[k])
