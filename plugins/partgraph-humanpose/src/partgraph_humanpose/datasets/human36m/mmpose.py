"""What MMPose's converter makes of the release: arrays of all frames, and single frames.

::

    annotation_body3d/fps10/h36m_train.npz    imgname (N), part (N, 17, 3) px and a flag,
    annotation_body3d/fps10/h36m_test.npz     S (N, 17, 4) m in camera coordinates and a flag
    images/S1/S1_Directions_1.54138969/S1_Directions_1.54138969_000001.jpg

``fps50`` is read where there is no ``fps10``. The cameras, a pickle, are not needed and never opened.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import ClassVar, final

import attrs

from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.hdf5 import check_shapes
from partgraph_humanpose.datasets.human36m.annotations import Annotations
from partgraph_humanpose.datasets.human36m.layout import Layout, in_order
from partgraph_humanpose.datasets.human36m.names import frame_name, parse_names
from partgraph_humanpose.datasets.human36m.protocol import Video
from partgraph_humanpose.datasets.npz import read_npz

_MM = 1000.0
_SHAPES = {"imgname": (None,), "part": (None, 17, 3), "S": (None, 17, 4)}
_CONVERT = (
    "python -c \"import numpy as np; a = np.load('FILE.npz', allow_pickle=True); "
    "np.savez('FILE.npz', imgname=a['imgname'].astype(str), part=a['part'].astype(float), S=a['S'].astype(float))\""
)


@final
@attrs.frozen
class MMPose(Layout):
    """The output of MMPose's converter."""

    title: ClassVar[str] = "Human3.6M, MMPose"

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        return bool(cls(folder).files())

    def files(self) -> tuple[Path, ...]:
        for rate in ("fps10", "fps50"):
            files = tuple(sorted((self.folder / "annotation_body3d" / rate).glob("h36m_*.npz")))
            if files:
                return files
        return ()

    def subjects(self) -> tuple[str, ...]:
        return in_order(video.subject for path in self.files() for video in _read(path).videos)

    def read(self, subject: str) -> Annotations:
        return Annotations.join(
            _read(path).where(lambda video: video.subject == subject) for path in self.files()
        )

    def picture_path(self, video: Video, frame: int) -> Path:
        return self.folder.joinpath("images", video.subject, *frame_name(video, frame))


@functools.lru_cache(maxsize=2)
def _read(path: Path) -> Annotations:
    arrays = read_npz(path, tuple(_SHAPES), _CONVERT.replace("FILE", path.stem))
    check_shapes(path, arrays, _SHAPES)
    if arrays["imgname"].dtype.kind not in "US":
        raise DataError(path, "imgname must be text", str(arrays["imgname"].dtype), "copy the file anew")
    videos, video, frame = parse_names([_text(name) for name in arrays["imgname"]], path)
    return Annotations.join(
        Annotations.of_video(
            own,
            frame[video == k],
            arrays["part"][video == k, :, :2],
            arrays["S"][video == k, :, :3] * _MM,
            path,
        )
        for k, own in enumerate(videos)
    )


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
