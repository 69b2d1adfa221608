"""The official release: CDF files of poses, mp4 videos and, from its code package, metadata.xml.

::

    S1/MyPoseFeatures/D3_Positions_mono/Directions 1.54138969.cdf   camera coordinates, mm
    S1/MyPoseFeatures/D3_Positions/Directions 1.cdf                 world, mm; with metadata.xml instead of the former
    S1/MyPoseFeatures/D2_Positions/Directions 1.54138969.cdf        px; or from the cameras of metadata.xml
    S1/Videos/Directions 1.54138969.mp4
    metadata.xml

Variable ``Pose`` is (1, F, 96) or (1, F, 64): 32 joints times 3 or 2. The folders may also be named
``Poses_D3_Positions_mono`` and so on and lie directly in the subject's, as h36m-fetch extracts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.datasets.errors import DataError, optional
from partgraph_humanpose.datasets.human36m.annotations import Annotations
from partgraph_humanpose.datasets.human36m.joints import select_17
from partgraph_humanpose.datasets.human36m.layout import VideoLayout, in_order
from partgraph_humanpose.datasets.human36m.protocol import ACTIONS, CAMERAS, Video, action_of

_WORLD, _CAMERA, _PIXELS = "D3_Positions", "D3_Positions_mono", "D2_Positions"


@final
@attrs.frozen
class Cdf(VideoLayout):
    """The official release."""

    title: ClassVar[str] = "Human3.6M, official CDF files"

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        return bool(cls(folder).subjects())

    def subjects(self) -> tuple[str, ...]:
        return in_order(
            path.name
            for path in self.folder.glob("S*")
            if any(any(self._poses(path.name, kind).glob("*.cdf")) for kind in (_CAMERA, _WORLD))
        )

    def files(self) -> tuple[Path, ...]:
        return tuple(
            path
            for subject in self.subjects()
            for kind in (_WORLD, _CAMERA, _PIXELS)
            for path in sorted(self._poses(subject, kind).glob("*.cdf"))
        )

    def read(self, subject: str) -> Annotations:
        return Annotations.join(self._read(subject))

    def _read(self, subject: str) -> Iterator[Annotations]:
        cameras = self.cameras() or {}
        for take in self._takes(subject):
            world = None
            for name in CAMERAS:
                path = self._poses(subject, _CAMERA) / f"{take}.{name}.cdf"
                camera = cameras.get((subject, name))
                if path.is_file():
                    seen = _read_pose(path, 3)
                elif camera is None:
                    asked = f"poses in camera coordinates, or metadata.xml in {self.folder} to compute them"
                    raise DataError(path, asked, "neither", "copy one of them there")
                else:
                    if world is None:
                        world = _read_pose(self._poses(subject, _WORLD) / f"{take}.cdf", 3)
                    seen = camera.to_camera(world)
                flat = self._poses(subject, _PIXELS) / f"{take}.{name}.cdf"
                if flat.is_file():
                    pixels = _read_pose(flat, 2)
                elif camera is None:
                    asked = f"poses in pixels, or metadata.xml in {self.folder} to compute them"
                    raise DataError(flat, asked, "neither", "copy one of them there")
                else:
                    pixels = camera.project(seen)
                yield Annotations.of_video(
                    Video(subject, take, name), np.arange(len(seen)), pixels, seen, flat
                )

    def _takes(self, subject: str) -> list[str]:
        worlds = {path.stem for path in self._poses(subject, _WORLD).glob("*.cdf")}
        seen = {path.stem.rpartition(".")[0] for path in self._poses(subject, _CAMERA).glob("*.*.cdf")}
        return sorted(take for take in worlds | seen if action_of(take) in ACTIONS)  # without _ALL

    def _poses(self, subject: str, kind: str) -> Path:
        own = self.folder / subject
        for folder in (own / "MyPoseFeatures" / kind, own / f"Poses_{kind}", own / kind):
            if folder.is_dir():
                return folder
        return own / "MyPoseFeatures" / kind


def _read_pose(path: Path, dimensions: int) -> NDArray[np.float64]:
    """(F, 17, dimensions) float64 from the variable ``Pose`` of a CDF file."""
    cdflib = optional("cdflib", "the official files of Human3.6M")
    asked = f"a CDF file with the variable Pose of {32 * dimensions} numbers a frame"
    if not path.is_file():
        raise DataError(path, asked, "no such file", "copy it there")
    try:
        values = np.asarray(cdflib.CDF(path).varget("Pose"), np.float64)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise DataError(path, asked, f"{type(error).__name__}: {error}", "copy the file anew") from None
    if values.ndim < 2 or values.shape[-1] != 32 * dimensions:
        raise DataError(path, asked, f"shape {values.shape}", "copy the file anew")
    return select_17(values.reshape(-1, 32, dimensions)).astype(np.float64)
