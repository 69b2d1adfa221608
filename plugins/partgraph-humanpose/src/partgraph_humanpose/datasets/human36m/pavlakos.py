"""The annotation and frames that Pavlakos et al. published with coarse-to-fine volumetric prediction.

::

    annot/train.h5            part (N, 17, 2) px, zind (N, 17), the interval of depth from 1 to 64
    annot/train_images.txt    S5_Eating_1.55011271_000321.jpg, a line each
    annot/valid.h5, valid_images.txt
    annot/valid.mat           annot.imgname, annot.S (N, 3, 17) mm in camera coordinates
    images/S5_Eating_1.55011271_000321.jpg
    metadata.xml              of the release: needed where S or part is missing

Where there is no S, the distance of the root is recovered from the mean lengths of limbs (see `lift`).
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import ClassVar, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.hdf5 import check_shapes, read_arrays
from partgraph_humanpose.datasets.human36m.annotations import Annotations
from partgraph_humanpose.datasets.human36m.camera import Camera
from partgraph_humanpose.datasets.human36m.layout import Layout, in_order
from partgraph_humanpose.datasets.human36m.lift import depth_of_interval, lift
from partgraph_humanpose.datasets.human36m.names import frame_name, parse_names
from partgraph_humanpose.datasets.human36m.protocol import Video
from partgraph_humanpose.datasets.matlab import field, read_mat

_NAMES = "_images.txt"
_FLAT = {"part": (None, 17, 2), "zind": (None, 17)}


@final
@attrs.frozen
class Pavlakos(Layout):
    """The data of coarse-to-fine volumetric prediction."""

    title: ClassVar[str] = "Human3.6M, Pavlakos et al. (c2f)"

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether there are names of frames; those of MPII in the same form are no names of Human3.6M's frames."""
        for path in sorted((folder / "annot").glob(f"*{_NAMES}")):
            with path.open(encoding="utf-8", errors="replace") as lines:
                if lines.readline().startswith(("S1_", "S5_", "S6_", "S7_", "S8_", "S9_", "S11_")):
                    return True
        return False

    def files(self) -> tuple[Path, ...]:
        files = (self.folder / "annot").glob("*")
        return tuple(sorted(path for path in files if path.suffix in (".h5", ".mat", ".txt")))

    def subjects(self) -> tuple[str, ...]:
        return in_order(video.subject for path in self._lists() for video in _names(path)[0])

    def read(self, subject: str) -> Annotations:
        return Annotations.join(
            self._read(path, k)
            for path in self._lists()
            for k, video in enumerate(_names(path)[0])
            if video.subject == subject
        )

    def picture_path(self, video: Video, frame: int) -> Path:
        return self.folder / "images" / frame_name(video, frame)[1]

    def _lists(self) -> list[Path]:
        return sorted((self.folder / "annot").glob(f"*{_NAMES}"))

    def _read(self, path: Path, number: int) -> Annotations:
        """The frames of one of the videos in a list."""
        videos, video, frame = _names(path)
        own, chosen = videos[number], video == number
        truth, flat = _truth(path), _flat(path)
        if truth is not None:
            camera = truth[chosen]
            pixels = self._camera(own, path).project(camera) if flat is None else flat["part"][chosen]
        elif flat is not None:
            pixels = flat["part"][chosen]
            camera = lift(self._camera(own, path), pixels, depth_of_interval(flat["zind"][chosen]))
        else:
            base = path.name.removesuffix(_NAMES)
            asked = f"{base}.h5 with part and zind, or {base}.mat with S, beside it"
            raise DataError(path, asked, "neither", "copy one of them there")
        return Annotations.of_video(own, frame[chosen], pixels, camera, path)

    def _camera(self, video: Video, path: Path) -> Camera:
        cameras = self.cameras()
        if cameras is None or (video.subject, video.camera) not in cameras:
            asked = f"the camera of {video}, to relate pixels and millimetres"
            raise DataError(path, asked, "none", f"copy the release's metadata.xml to {self.folder}")
        return cameras[video.subject, video.camera]


@functools.lru_cache(maxsize=4)
def _names(path: Path) -> tuple[tuple[Video, ...], NDArray[np.intp], NDArray[np.int64]]:
    return parse_names(path.read_text(encoding="utf-8").split(), path)


@functools.lru_cache(maxsize=2)
def _truth(path: Path) -> NDArray[np.float64] | None:
    """(N, 17, 3) float64, mm, from the ``.mat`` file beside a list; None without one."""
    mat = path.with_name(path.name.removesuffix(_NAMES) + ".mat")
    if not mat.is_file():
        return None
    annot = read_mat(mat, "annot")
    names = [str(name) for name in np.atleast_1d(field(annot, "imgname", mat))]
    listed = [name.rpartition(".")[0] for name in path.read_text(encoding="utf-8").split()]
    if names != listed:
        asked = f"annot.imgname must name the frames of {path.name} in their order"
        raise DataError(
            mat, asked, f"{len(names)} others for {len(listed)}", "take both files from one release"
        )
    truth = np.asarray(field(annot, "S", mat), np.float64)
    check_shapes(mat, {"S": truth}, {"S": (None, 3, 17)})
    return truth.transpose(0, 2, 1)


@functools.lru_cache(maxsize=2)
def _flat(path: Path) -> dict[str, NDArray] | None:
    """The arrays of the HDF5 file beside a list; None where there is none, or one without joints."""
    file = path.with_name(path.name.removesuffix(_NAMES) + ".h5")
    if not file.is_file():
        return None
    try:
        arrays = read_arrays(file, _FLAT)
    except DataError:
        if _truth(path) is None:
            raise
        return None  # the sample of c2f-vol-demo has centres and scales only
    if len(arrays["part"]) != len(_names(path)[1]):
        asked = f"one row for each of the {len(_names(path)[1])} lines of {path.name}"
        raise DataError(file, asked, str(len(arrays["part"])), "take both files from one release")
    return arrays
