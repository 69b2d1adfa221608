"""Skeletons, poses, and the cases they are shown in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, final

import attrs
import numpy as np
import numpy.typing as npt

from partgraph.report.frozen import as_tuple

Side = Literal["left", "right", "center"]

_SIDES = ("left", "right", "center")


def _read_only(values: npt.ArrayLike) -> np.ndarray:
    array = np.array(values)
    array.setflags(write=False)
    return array


def _read_only_floats(values: npt.ArrayLike) -> np.ndarray:
    return _read_only(np.asarray(values, dtype=np.float64))


def _index_pairs(limbs: Iterable[Iterable[int]]) -> tuple[tuple[int, int], ...]:
    pairs = []
    for limb in map(tuple, limbs):
        if len(limb) != 2:
            raise ValueError(f"Skeleton: limb {limb} has {len(limb)} parts; a limb joins two.")
        pairs.append((int(limb[0]), int(limb[1])))
    return tuple(pairs)


@final
@attrs.frozen
class Skeleton:
    """The parts of an object and the limbs drawn between them.

    Attributes
    ----------
    parts : tuple of str
        N names.
    limbs : tuple of (int, int)
        Pairs of part indices.
    sides : tuple of str
        N times "left", "right" or "center", the object's own left and right. Where not given, all are "center".
    """

    parts: tuple[str, ...] = attrs.field(converter=as_tuple)
    limbs: tuple[tuple[int, int], ...] = attrs.field(converter=_index_pairs)
    sides: tuple[Side, ...] = attrs.field(converter=as_tuple)

    @sides.default
    def _all_center(self) -> tuple[Side, ...]:
        return tuple("center" for _ in self.parts)

    def __attrs_post_init__(self) -> None:
        if len(self.sides) != len(self.parts):
            raise ValueError(
                f"Skeleton: found {len(self.sides)} sides for {len(self.parts)} parts; "
                "give one side per part."
            )
        for part, side in zip(self.parts, self.sides, strict=True):
            if side not in _SIDES:
                raise ValueError(
                    f"Skeleton: part {part!r} has side {side!r}; use one of {', '.join(_SIDES)}."
                )
        for limb in self.limbs:
            if limb[0] == limb[1] or not all(0 <= part < len(self.parts) for part in limb):
                raise ValueError(
                    f"Skeleton: limb {limb} does not join two of the {len(self.parts)} parts; "
                    f"use two different indices from 0 to {len(self.parts) - 1}."
                )

    def limb_sides(self) -> tuple[Side, ...]:
        """One side per limb: that of its parts, where a center part takes the other one's side."""
        return tuple(_joint_side(self.sides[i], self.sides[j]) for i, j in self.limbs)


@final
@attrs.frozen(eq=False)
class Pose:
    """One configuration of the parts, placed in a picture.

    Attributes
    ----------
    name : str
        What found it, e.g. "two-hop". Poses of the same name share a colour throughout a report.
    positions : array
        (N, 2) or (N, 3) float64, pixels of the case's image, measured from its upper left corner: x to the right,
        y down, z away from the viewer in the same scale. A row with NaN is a part of unknown position.
    error : float or None
        Millimetres; None where it is not known.
    """

    name: str
    positions: np.ndarray = attrs.field(converter=_read_only_floats)
    error: float | None = None

    def __attrs_post_init__(self) -> None:
        shape = self.positions.shape
        if len(shape) != 2 or shape[1] not in (2, 3):
            raise ValueError(
                f"Pose {self.name!r}: positions have shape {shape}; expected (N, 2) or (N, 3), one row per part."
            )
        if np.isinf(self.positions).any():
            raise ValueError(
                f"Pose {self.name!r}: a position is infinite; use NaN for a part of unknown position."
            )


@final
@attrs.frozen(eq=False)
class Case:
    """One picture with the poses found in it and, where it is known, the true one.

    Attributes
    ----------
    title, caption : str
        Plain text.
    image : array
        (H, W, 3) uint8, RGB.
    poses : tuple of Pose
        Drawn in this order, later ones on top. Their names are unique.
    truth : Pose or None
        The true pose, drawn beneath the others.
    """

    title: str
    image: np.ndarray = attrs.field(converter=_read_only)
    poses: tuple[Pose, ...] = attrs.field(converter=as_tuple)
    truth: Pose | None = None
    caption: str = ""

    def __attrs_post_init__(self) -> None:
        if (
            self.image.dtype != np.uint8
            or self.image.ndim != 3
            or self.image.shape[2] != 3
            or not self.image.size
        ):
            raise ValueError(
                f"Case {self.title!r}: image is {self.image.dtype} of shape {self.image.shape}; "
                "expected uint8 of shape (H, W, 3), RGB."
            )
        names = [pose.name for pose in self.all_poses]
        if not names:
            raise ValueError(f"Case {self.title!r} has neither poses nor truth; give at least one of them.")
        if len(set(names)) < len(names):
            raise ValueError(
                f"Case {self.title!r} has poses of the same name: {', '.join(names)}; name them apart."
            )
        shapes = {pose.positions.shape for pose in self.all_poses}
        if len(shapes) > 1:
            raise ValueError(
                f"Case {self.title!r} mixes poses of shapes {sorted(shapes)}; all must have one shape."
            )

    @property
    def all_poses(self) -> tuple[Pose, ...]:
        """The truth, where there is one, and then every pose found."""
        return self.poses if self.truth is None else (self.truth, *self.poses)


@final
@attrs.frozen
class Group:
    """Cases that are shown together, such as the best or the worst."""

    title: str
    cases: tuple[Case, ...] = attrs.field(converter=as_tuple)
    caption: str = ""


def _joint_side(first: Side, second: Side) -> Side:
    if first == second:
        return first
    if "center" not in (first, second):
        return "center"
    return second if first == "center" else first
