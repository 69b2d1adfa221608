"""The annotation of MPII in the three forms in which people have it; all count pixels from one, as MATLAB does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.hdf5 import read_arrays
from partgraph_humanpose.datasets.listed import FROM_ONE, Listed
from partgraph_humanpose.datasets.matlab import field, read_mat
from partgraph_humanpose.skeleton import PARTS

REFERENCE = 200.0
"""px: the height of a person whose scale is one."""

_LOWER = 15.0  # px: how much below the annotated middle the crop's is, for a person of scale one
_NEWELL = 1.25  # the factor that is already in Newell's scales
_JOINTS = len(PARTS)
_SHAPES = {
    "part": (None, _JOINTS, 2),
    "visible": (None, _JOINTS),
    "center": (None, 2),
    "scale": (None,),
}


def read_json(path: Path, margin: float) -> Listed:
    """HRNet's and MMPose's lists: joints, joints_vis, image, scale and center of a person; missing joints are -1."""
    asked = "a list of people with joints, joints_vis, image, scale and center"
    try:
        people = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(people, list):
            raise TypeError(f"a {type(people).__name__}")
        return _listed(
            [str(person["image"]) for person in people],
            np.array([person["joints"] for person in people], np.float64).reshape(-1, _JOINTS, 2),
            np.array([person["joints_vis"] for person in people], np.float64).reshape(-1, _JOINTS) > 0,
            np.array([person["center"] for person in people], np.float64).reshape(-1, 2),
            np.array([person["scale"] for person in people], np.float64).reshape(-1),
            margin,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise DataError(path, asked, found, "copy the file anew") from None


def read_hdf5(path: Path, margin: float) -> Listed:
    """Newell's arrays part, visible, center and scale; names of pictures in ``*_images.txt`` or the array imgname.

    Centres and scales are already those of the crop there, which is undone first.
    """
    names_file = path.with_name(f"{path.stem}_images.txt")
    has_file = names_file.is_file()
    arrays = read_arrays(path, _SHAPES)
    names = names_file.read_text(encoding="utf-8").split() if has_file else _hdf5_names(path)
    if len(names) != len(arrays["part"]):
        raise DataError(
            path, f"a picture's name for each of {len(arrays['part'])} people", str(len(names)), "copy anew"
        )
    scale = arrays["scale"] / _NEWELL
    center = arrays["center"] - np.column_stack([np.zeros_like(scale), _LOWER * scale])
    return _listed(names, arrays["part"], arrays["visible"] > 0, center, scale, margin)


def read_release(path: Path, margin: float) -> Listed:
    """The official structure RELEASE: all people with joints in its training pictures."""
    release = read_mat(path, "RELEASE")
    pictures = np.atleast_1d(field(release, "annolist", path))
    training = np.atleast_1d(field(release, "img_train", path))
    if len(pictures) != len(training):
        raise DataError(
            path, f"img_train for {len(pictures)} pictures", str(len(training)), "copy the file anew"
        )
    people = [
        (str(field(field(picture, "image", path), "name", path)), *person)
        for picture, used in zip(pictures, training, strict=True)
        if int(used)
        for person in _people(picture)
    ]
    if not people:
        raise DataError(path, "annotated people in training pictures", "none", "check which file this is")
    names, joints, visible, center, scale = zip(*people, strict=True)
    return _listed(
        list(names), np.stack(joints), np.stack(visible), np.stack(center), np.array(scale), margin
    )


def _people(
    picture: Any,
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64], float]]:
    """Joints, visibility, middle and scale of the people in a picture who have all of them."""
    for person in np.atleast_1d(getattr(picture, "annorect", ())):
        points = np.atleast_1d(getattr(getattr(person, "annopoints", None), "point", ()))
        if not len(points) or not hasattr(getattr(person, "objpos", None), "x"):
            continue
        scale = np.ravel(np.asarray(getattr(person, "scale", ()), np.float64))
        if len(scale) != 1:
            continue
        joints, visible = np.full((_JOINTS, 2), -1.0), np.zeros(_JOINTS, bool)
        for point in points:
            joints[int(point.id)] = float(point.x), float(point.y)
            flag = getattr(point, "is_visible", 1)  # a number, its text, or nothing, mostly for head and neck
            visible[int(point.id)] = bool(int(flag)) if np.size(flag) and str(flag).strip() else True
        yield joints, visible, np.array([person.objpos.x, person.objpos.y], np.float64), float(scale[0])


def _hdf5_names(path: Path) -> list[str]:
    names = read_arrays(path, {"imgname": (None,)})["imgname"]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _listed(
    names: list[str],
    joints: NDArray[np.float64],
    visible: NDArray[np.bool_],
    center: NDArray[np.float64],
    scale: NDArray[np.float64],
    margin: float,
) -> Listed:
    """From the official conventions to ours; `center` is the annotated middle of the person."""
    known = np.asarray((joints > 0).any(axis=2))  # missing joints are (-1, -1) or (0, 0)
    middle = center + np.column_stack([np.zeros_like(scale), _LOWER * scale])
    return Listed(
        np.array(names, str),
        np.where(known[..., None], joints - FROM_ONE, np.nan),
        visible & known,
        np.column_stack([middle - FROM_ONE, REFERENCE * scale * margin]),
    )
