"""VideoPose3D's positions, with cameras from metadata.xml or cameras.json, and the official videos.

::

    data_3d_h36m_plain.npz      "S1/Directions 1": (F, 32, 3) m in the world, 50 frames a second
    metadata.xml                or cameras.json
    S1/Videos/Directions 1.54138969.mp4

``data_3d_h36m.npz`` itself holds a pickle. It is refused, with the command that turns it into the file above.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.human36m.annotations import Annotations
from partgraph_humanpose.datasets.human36m.joints import select_17
from partgraph_humanpose.datasets.human36m.layout import VideoLayout, in_order
from partgraph_humanpose.datasets.human36m.protocol import ACTIONS, CAMERAS, Video, action_of
from partgraph_humanpose.datasets.npz import read_npz

_MM = 1000.0
_PICKLED, _PLAIN = "data_3d_h36m.npz", "data_3d_h36m_plain.npz"
_CONVERT = (
    f"python -c \"import numpy as np; p = np.load('{_PICKLED}', allow_pickle=True)['positions_3d'].item(); "
    f"np.savez('{_PLAIN}', **{{f'{{s}}/{{a}}': x for s, v in p.items() for a, x in v.items()}})\""
)


@final
@attrs.frozen
class VideoPose3D(VideoLayout):
    """VideoPose3D's positions beside the official videos."""

    title: ClassVar[str] = "Human3.6M, VideoPose3D"

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        return any((folder / name).is_file() for name in (_PLAIN, _PICKLED))

    def files(self) -> tuple[Path, ...]:
        plain = self.folder / _PLAIN
        return (plain if plain.is_file() else self.folder / _PICKLED,)

    def subjects(self) -> tuple[str, ...]:
        return in_order(name.partition("/")[0] for name in self._positions())

    def read(self, subject: str) -> Annotations:
        return Annotations.join(self._read(subject))

    def _positions(self) -> dict[str, NDArray]:
        return read_npz(self.files()[0], None, _CONVERT)

    def _read(self, subject: str) -> Iterator[Annotations]:
        path, cameras = self.files()[0], self.cameras()
        if cameras is None:
            asked = "the positions are in the world, so the cameras are needed: metadata.xml or cameras.json beside it"
            raise DataError(path, asked, "neither", "copy one of them there (docs/data.md)")
        for name, positions in sorted(self._positions().items()):
            owner, _, take = name.partition("/")
            if owner != subject or action_of(take) not in ACTIONS:
                continue
            if positions.shape[1:] != (32, 3):
                asked = f"{name!r} must have shape (F, 32, 3)"
                raise DataError(
                    path, asked, f"{positions.shape}", "convert the file anew, before joints are removed"
                )
            world = select_17(positions.astype(np.float64)) * _MM
            for camera in CAMERAS:
                if (subject, camera) not in cameras:
                    raise DataError(
                        path, f"camera {camera} of {subject}", "none", "complete the file of cameras"
                    )
                seen = cameras[subject, camera].to_camera(world)
                pixels = cameras[subject, camera].project(seen)
                yield Annotations.of_video(
                    Video(subject, take, camera), np.arange(len(seen)), pixels, seen, f"{path}: {name}"
                )
