"""Frames of the official videos, by number."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.datasets.errors import DataError, optional
from partgraph_humanpose.datasets.human36m.protocol import RATE, Video

_AHEAD = 200  # frames that are rather decoded than jumped over
_OTHER_WORDS = {"Photo": "TakingPhoto", "WalkDog": "WalkingDog"}  # in S1's file names


def video_path(folder: Path, video: Video) -> Path:
    """The official file of a video below `folder`; S1's "TakingPhoto" and "WalkingDog" are known by both names."""
    videos = folder / video.subject / "Videos"
    path = videos / f"{video.take}.{video.camera}.mp4"
    word, _, rest = video.take.partition(" ")
    other = (
        videos / f"{' '.join([_OTHER_WORDS.get(word, word), *([rest] if rest else [])])}.{video.camera}.mp4"
    )
    return other if other.is_file() and not path.is_file() else path


def read_frame(path: Path, number: int) -> NDArray[np.uint8]:
    """Frame `number` of a video, from zero: (H, W, 3) uint8, RGB. Fast for ascending numbers.

    Raises
    ------
    DataError
        When there is no such video or no such frame.
    """
    return _open(path).read(number)


@functools.lru_cache(maxsize=2)
def _open(path: Path) -> _Frames:
    return _Frames(path)


@final
class _Frames:
    """An open video, decoded forward from where it is or from the key frame before the one that is asked for."""

    def __init__(self, path: Path) -> None:
        av = optional("av", "the videos of Human3.6M")
        self.path, self._error = path, av.FFmpegError
        if not path.is_file():
            raise DataError(
                path, "a video", "no such file", "copy it there, or leave its subject or camera out"
            )
        try:
            self._container = av.open(str(path))
            self._stream = self._container.streams.video[0]
        except (av.FFmpegError, IndexError) as error:
            raise DataError(path, "a video", f"what cannot be read ({error})", "copy it anew") from None
        rate = float(self._stream.average_rate or 0)
        if abs(rate - RATE) > 0.5:  # a mean over the file, which may be a little off
            raise DataError(path, f"a video of {RATE} frames a second", f"{rate:g}", "copy the official one")
        self._stream.thread_type = "AUTO"
        self._decoded, self._next = self._container.decode(self._stream), 0

    def read(self, number: int) -> NDArray[np.uint8]:
        if not self._next <= number < self._next + _AHEAD:
            self._seek(number)
        try:
            for frame in self._decoded:
                at = self._number(frame)
                self._next = at + 1
                if at == number:
                    image: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
                    return image
                if at > number:
                    break
        except self._error as error:
            raise DataError(
                self.path, f"frame {number}", f"damage before it ({error})", "copy the video anew"
            ) from None
        self._next = number + _AHEAD  # whatever is asked for next, look for it from a key frame
        raise DataError(
            self.path,
            f"frame {number} (from zero)",
            f"{self._stream.frames or 'fewer'} frames",
            "check that video and annotation belong together",
        )

    def _seek(self, number: int) -> None:
        stream = self._stream
        target = (stream.start_time or 0) + round(number / (RATE * stream.time_base))
        self._container.seek(target, stream=stream, backward=True)
        self._decoded = self._container.decode(stream)

    def _number(self, frame: Any) -> int:
        stream = self._stream
        return round((frame.pts - (stream.start_time or 0)) * stream.time_base * RATE)
