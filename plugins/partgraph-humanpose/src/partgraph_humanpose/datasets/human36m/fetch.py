"""What the scripts of anibali/h36m-fetch make of the release: one HDF5 file per take, and single frames.

::

    processed/S1/Directions-1/annot.h5                              pose/2d (N, 32, 2) px, pose/3d (N, 32, 3) mm,
                                                                    frame (N) from one, camera (N) as a number
    processed/S1/Directions-1/imageSequence/54138969/img_000001.jpg

The four cameras lie one after the other along N.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, final

import attrs
import numpy as np

from partgraph_humanpose.datasets.hdf5 import read_arrays
from partgraph_humanpose.datasets.human36m.annotations import Annotations
from partgraph_humanpose.datasets.human36m.joints import select_17
from partgraph_humanpose.datasets.human36m.layout import Layout, in_order
from partgraph_humanpose.datasets.human36m.protocol import CAMERAS, Video

_SHAPES = {"pose/2d": (None, 32, 2), "pose/3d": (None, 32, 3), "frame": (None,), "camera": (None,)}


@final
@attrs.frozen
class Fetch(Layout):
    """The output of h36m-fetch."""

    title: ClassVar[str] = "Human3.6M, h36m-fetch"

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        return bool(cls(folder).files())

    def files(self) -> tuple[Path, ...]:
        return tuple(sorted(self._root.glob("S*/*/annot.h5")))

    def subjects(self) -> tuple[str, ...]:
        return in_order(path.parents[1].name for path in self.files())

    def read(self, subject: str) -> Annotations:
        files = (path for path in self.files() if path.parents[1].name == subject)
        return Annotations.join(one for path in files for one in _read(subject, path))

    def picture_path(self, video: Video, frame: int) -> Path:
        images = self._root / video.subject / video.take / "imageSequence" / video.camera
        return images / f"img_{frame + 1:06d}.jpg"

    @property
    def _root(self) -> Path:
        processed = self.folder / "processed"
        return processed if processed.is_dir() else self.folder


def _read(subject: str, path: Path) -> Iterator[Annotations]:
    arrays = read_arrays(path, _SHAPES)
    for camera in CAMERAS:
        own = arrays["camera"].astype(np.int64) == int(camera)
        if own.any():
            yield Annotations.of_video(
                Video(subject, path.parent.name, camera),
                arrays["frame"][own].astype(np.int64) - 1,
                select_17(arrays["pose/2d"][own]),
                select_17(arrays["pose/3d"][own]),
                path,
            )
