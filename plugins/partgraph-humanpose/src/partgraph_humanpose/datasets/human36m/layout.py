"""The interface of a layout: one of the forms in which people have Human3.6M on disk."""

from __future__ import annotations

import abc
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.learning.photo import read_photo
from partgraph_humanpose.datasets.human36m.annotations import Annotations
from partgraph_humanpose.datasets.human36m.cameras import Cameras, find_cameras
from partgraph_humanpose.datasets.human36m.protocol import SUBJECTS, Video
from partgraph_humanpose.datasets.human36m.video import read_frame, video_path


@attrs.frozen
class Layout(abc.ABC):
    """A folder in one layout; a small value that workers in other processes receive.

    Attributes
    ----------
    folder : its root
    """

    title: ClassVar[str]
    folder: Path

    @classmethod
    @abc.abstractmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether `folder` looks like this layout, by the names of files alone."""

    @abc.abstractmethod
    def files(self) -> tuple[Path, ...]:
        """The files that hold annotation, sorted."""

    @abc.abstractmethod
    def subjects(self) -> tuple[str, ...]:
        """The subjects that are there."""

    @abc.abstractmethod
    def read(self, subject: str) -> Annotations:
        """Everything about one subject.

        Raises
        ------
        DataError
            When a file is missing or malformed.
        """

    @abc.abstractmethod
    def picture_path(self, video: Video, frame: int) -> Path:
        """The picture's file, or the video's, whether it exists or not."""

    def picture(self, video: Video, frame: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, RGB: frame `frame` of the video, counted from zero at 50 a second."""
        return read_photo(self.picture_path(video, frame))

    def cameras(self) -> Cameras | None:
        """The cameras, where a file has them."""
        return find_cameras(self.folder)


class VideoLayout(Layout):
    """A layout beside the official videos."""

    def picture_path(self, video: Video, frame: int) -> Path:
        return video_path(self.folder, video)

    def picture(self, video: Video, frame: int) -> NDArray[np.uint8]:
        return read_frame(self.picture_path(video, frame), frame)


def in_order(subjects: Iterable[str]) -> tuple[str, ...]:
    """Subjects in the order of the protocol, each once; unknown ones last."""
    return tuple(sorted(set(subjects), key=lambda name: (*SUBJECTS, name).index(name)))
