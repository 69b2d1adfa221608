"""What every layout is read into: joints in pixels and millimetres, frame by frame."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.human36m.protocol import RATE, Video

JOINTS = 17


@final
@attrs.frozen(eq=False)
class Annotations:
    """The seventeen joints in n frames of some videos.

    Attributes
    ----------
    videos : the videos, each once
    video : (n,) int32, index into `videos`
    frame : (n,) int32, of the video at 50 a second, counted from zero; ascending in each video
    pixels : (n, 17, 2) float64, px of the whole picture
    camera : (n, 17, 3) float64, mm, camera coordinates
    """

    videos: tuple[Video, ...]
    video: NDArray[np.int32]
    frame: NDArray[np.int32]
    pixels: NDArray[np.float64]
    camera: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frame)

    @classmethod
    def of_video(
        cls,
        video: Video,
        frame: NDArray[np.integer],
        pixels: NDArray[np.floating],
        camera: NDArray[np.floating],
        where: object,
    ) -> Self:
        """The frames of one video; `where` stands in messages.

        Raises
        ------
        DataError
            When shapes do not go together or a number is not finite.
        """
        count = len(frame)
        for what, found, shape in (
            ("2D joints", pixels, (count, JOINTS, 2)),
            ("3D joints", camera, (count, JOINTS, 3)),
        ):
            if found.shape != shape:
                raise DataError(
                    where, f"{what} must have shape {shape}", f"{found.shape}", "copy the file anew"
                )
            if not np.isfinite(found).all():
                bad = int((~np.isfinite(found)).any((1, 2)).sum())
                raise DataError(
                    where, f"{what} must be finite numbers", f"{bad} frames that are not", "repair it"
                )
        order = np.argsort(frame, kind="stable")
        return cls(
            (video,),
            np.zeros(count, np.int32),
            frame[order].astype(np.int32),
            pixels[order].astype(np.float64),
            camera[order].astype(np.float64),
        )

    @classmethod
    def join(cls, several: Iterable[Self]) -> Self:
        """Several as one; no video may occur twice."""
        several = list(several)
        starts = np.cumsum([0, *(len(one.videos) for one in several)])
        return cls(
            tuple(video for one in several for video in one.videos),
            np.concatenate(
                [
                    np.empty(0, np.int32),
                    *(one.video + start for one, start in zip(several, starts[:-1], strict=True)),
                ]
            ).astype(np.int32),
            np.concatenate([np.empty(0, np.int32), *(one.frame for one in several)]),
            np.concatenate([np.empty((0, JOINTS, 2)), *(one.pixels for one in several)]),
            np.concatenate([np.empty((0, JOINTS, 3)), *(one.camera for one in several)]),
        )

    def where(self, keep: Callable[[Video], bool]) -> Self:
        """The frames of the videos that `keep` accepts."""
        kept = np.array([keep(video) for video in self.videos], bool)
        number = np.cumsum(kept) - 1
        chosen = kept[self.video] if len(self.videos) else np.empty(0, bool)
        return attrs.evolve(
            self[chosen],
            videos=tuple(video for video, own in zip(self.videos, kept, strict=True) if own),
            video=number[self.video[chosen]].astype(np.int32),
        )

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """The frames of a mask or of indices."""
        return attrs.evolve(
            self,
            video=self.video[chosen],
            frame=self.frame[chosen],
            pixels=self.pixels[chosen],
            camera=self.camera[chosen],
        )

    def at_rate(self, rate: int) -> Self:
        """The frames at `rate` a second, from the first of each video on (see `thin`)."""
        chosen = np.zeros(len(self), bool)
        for number, video in enumerate(self.videos):
            own = np.flatnonzero(self.video == number)
            chosen[own[thin(self.frame[own], rate, video)]] = True
        return self[chosen]

    def save(self, path: Path) -> None:
        """Write the arrays to an ``.npz`` file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.npz")
        names = np.array([(video.subject, video.take, video.camera) for video in self.videos], str).reshape(
            -1, 3
        )
        np.savez(
            temporary,
            videos=names,
            video=self.video,
            frame=self.frame,
            pixels=self.pixels,
            camera=self.camera,
        )
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(
                tuple(Video(*map(str, names)) for names in arrays["videos"]),
                *(arrays[name] for name in ("video", "frame", "pixels", "camera")),
            )


def thin(frame: Sequence[int] | NDArray[np.integer], rate: int, where: object) -> NDArray[np.intp]:
    """Indices of the frames (n,) of a video that make `rate` a second.

    Frames that run at a constant rate are thinned to every k-th, starting with the first. Where somebody has chosen
    frames by another rule, such as those in which the person has moved, all of them stay.

    Raises
    ------
    DataError
        When the video runs at another rate that this one does not divide.
    """
    frame = np.asarray(frame)
    steps = np.diff(frame)
    if not len(steps):
        return np.arange(len(frame))
    step, times = Counter(steps.tolist()).most_common(1)[0]
    if times <= len(steps) / 2:
        return np.arange(len(frame))
    wanted = RATE // rate
    if wanted % step == 0:
        return np.flatnonzero((frame - frame[0]) % wanted == 0)
    if step > wanted:  # already fewer, as where every 64th frame was extracted
        return np.arange(len(frame))
    which = {2: "2nd", 3: "3rd"}.get(step, f"{step}th")
    raise DataError(
        where,
        f"{rate} frames a second were asked for",
        f"every {which} of {RATE} a second",
        "choose another rate",
    )
