"""Names of extracted frames: ``S9_Posing_1.55011271_000001.jpg``, numbered from one."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.human36m.protocol import Video

_NAME = re.compile(r"(S\d+)_([A-Za-z]+(?:_\d+)?)\.(\d{8})_(\d{6})(?:\.\w+)?")


def parse_names(
    names: Sequence[str], where: object
) -> tuple[tuple[Video, ...], NDArray[np.intp], NDArray[np.int64]]:
    """Videos, each once; for each name the index of its video, and its frame counted from zero.

    Raises
    ------
    DataError
        When a name is none.
    """
    videos: dict[Video, int] = {}
    video, frame = np.empty(len(names), np.intp), np.empty(len(names), np.int64)
    for k, name in enumerate(names):
        found = _NAME.fullmatch(name.rpartition("/")[2])
        if found is None:
            asked = "names of frames as in S9_Posing_1.55011271_000001.jpg"
            raise DataError(where, asked, repr(name), "check that the file belongs to Human3.6M")
        subject, take, camera, number = found.groups()
        video[k] = videos.setdefault(Video(subject, take.replace("_", " "), camera), len(videos))
        frame[k] = int(number) - 1
    return tuple(videos), video, frame


def frame_name(video: Video, frame: int) -> tuple[str, str]:
    """Names of the video's folder and of the frame: ``S9_Posing_1.55011271``, and with ``_000001.jpg`` behind it."""
    folder = f"{video.subject}_{video.take.replace(' ', '_')}.{video.camera}"
    return folder, f"{folder}_{frame + 1:06d}.jpg"
