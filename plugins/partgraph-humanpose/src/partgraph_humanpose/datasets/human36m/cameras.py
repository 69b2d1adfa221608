"""The cameras of Human3.6M, from ``metadata.xml`` of the release or from a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.human36m.camera import Camera, rotation_of_quaternion
from partgraph_humanpose.datasets.human36m.protocol import CAMERAS

Cameras = Mapping[tuple[str, str], Camera]
"""By subject and camera: ``cameras["S1", "54138969"]``."""

METADATA, JSON = "metadata.xml", "cameras.json"
_SUBJECTS = 11
_EXTRINSIC, _INTRINSIC = 6, 9
_NUMBERS = len(CAMERAS) * (_SUBJECTS * _EXTRINSIC + _INTRINSIC)


def find_cameras(folder: Path) -> Cameras | None:
    """The cameras in `folder` or the one above it: ``metadata.xml``, else ``cameras.json``; None without either."""
    for read, name in ((read_metadata, METADATA), (read_json, JSON)):
        if path := find_beside(folder, name):
            return read(path)
    return None


def find_beside(folder: Path, name: str) -> Path | None:
    """The file `name` in `folder` or in the one above it."""
    paths = (parent / name for parent in (folder, folder.resolve().parent))
    return next((path for path in paths if path.is_file()), None)


def read_metadata(path: Path) -> Cameras:
    """The cameras of the release's ``metadata.xml``.

    Its element ``w0`` holds 300 numbers: for each of four cameras and eleven subjects rx, ry, rz in radians and tx, ty,
    tz in mm, then for each camera fx, fy, cx, cy, k1, k2, k3, p1, p2 in pixels.

    Raises
    ------
    DataError
        When the file is no XML, or has not these numbers.
    """
    try:
        text = ElementTree.parse(path).getroot().findtext(".//w0")
    except (OSError, ElementTree.ParseError) as error:
        raise DataError(
            path, "cameras are read from the release's XML", str(error), "copy the file anew"
        ) from None
    asked = f"an element w0 must hold {_NUMBERS} numbers in brackets"
    try:
        numbers = np.array((text or "").strip().strip("[]").replace(";", " ").split(), np.float64)
    except ValueError as error:
        raise DataError(path, asked, str(error), "copy the file anew") from None
    if len(numbers) != _NUMBERS or not np.isfinite(numbers).all():
        raise DataError(path, asked, f"{np.isfinite(numbers).sum()}", "copy the file anew")
    extrinsic, intrinsic = np.split(numbers, [len(CAMERAS) * _SUBJECTS * _EXTRINSIC])
    extrinsic = extrinsic.reshape(len(CAMERAS), _SUBJECTS, _EXTRINSIC)
    intrinsic = intrinsic.reshape(len(CAMERAS), _INTRINSIC)
    return {
        (f"S{subject + 1}", camera): Camera.from_numbers(extrinsic[k, subject], intrinsic[k])
        for k, camera in enumerate(CAMERAS)
        for subject in range(_SUBJECTS)
    }


def read_json(path: Path) -> Cameras:
    """The cameras of a JSON file that holds VideoPose3D's two tables of constants as they are.

    ``{"intrinsic": [four of {"id", "center", "focal_length", "radial_distortion", "tangential_distortion"}],
    "extrinsic": {"S1": [four of {"orientation", "translation"}]}}``: pixels; the orientation is a quaternion
    (w, x, y, z) from camera to world, the translation the camera's centre in mm. The tangential distortion is stored
    crosswise there, as (p2, p1). Subjects without cameras have empty tables.

    Raises
    ------
    DataError
        When the file is not of this form.
    """
    asked = "cameras are read from JSON with VideoPose3D's tables intrinsic and extrinsic"
    try:
        tables = json.loads(path.read_text(encoding="utf-8"))
        cameras = {
            (subject, str(own["id"])): _from_tables(own, outer)
            for subject, outers in tables["extrinsic"].items()
            for own, outer in zip(tables["intrinsic"], outers, strict=True)
            if outer
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise DataError(path, asked, found, "write the file as docs/data.md says") from None
    return cameras


def _from_tables(own: Mapping[str, Any], outer: Mapping[str, Any]) -> Camera:
    numbers = [
        np.array(values, np.float64).reshape(shape)
        for values, shape in (
            (outer["translation"], 3),
            (own["focal_length"], 2),
            (own["center"], 2),
            (own["radial_distortion"], 3),
            (own["tangential_distortion"][::-1], 2),
        )
    ]
    return Camera(rotation_of_quaternion(outer["orientation"]).T, *numbers)
