"""The data set `human36m`: crops of Human3.6M with targets, as the paper trains and tests on them (section 3.2)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, final

import attrs
import numpy as np
from attrs.validators import deep_iterable, gt, in_, min_len, optional

from partgraph.learning.dataset import Inventory, Published
from partgraph_humanpose.datasets.crops import CropMaker, Person, square
from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.human36m.annotations import Annotations
from partgraph_humanpose.datasets.human36m.cameras import Cameras
from partgraph_humanpose.datasets.human36m.detect import find_layout, layout_of
from partgraph_humanpose.datasets.human36m.inventory import inspect_layout
from partgraph_humanpose.datasets.human36m.joints import mpii_joints
from partgraph_humanpose.datasets.human36m.layout import Layout
from partgraph_humanpose.datasets.human36m.protocol import (
    ACTIONS,
    CAMERAS,
    DRIFT_X,
    RATE,
    SUBJECTS,
    TEST,
    TRAIN,
    Drift,
    Video,
)
from partgraph_humanpose.datasets.human36m.published import PUBLISHED
from partgraph_humanpose.datasets.people import People
from partgraph_humanpose.datasets.store import (
    CropStore,
    Shard,
    digest_of_files,
    evenly,
    inspect_prepared,
    prepared_folder,
)

NAME = "human36m"
_VERSION = 1  # part of the recipe: raise it when the same options give other records
_SUBJECTS_OF = {"train": TRAIN, "validation": ("S8",), "test": TEST}


def _divides_the_rate(instance: object, attribute: object, value: int) -> None:
    if value < 1 or RATE % value:
        raise ValueError(f"the videos have {RATE} frames a second; rate must divide this, found {value}")


@final
@attrs.frozen(eq=False)
class Human36M(People):
    """People in fifteen actions before four calibrated cameras, with joints from motion capture.

    Attributes
    ----------
    folder : the data, in any of the layouts that docs/data.md lists
    split : "train" is S1, S5, S6, S7 and S8, "test" S9 and S11; "validation" is S8, which the paper trains on as well,
        so give the training split `subjects` without S8 where validation is to choose anything
    subjects : others than the split's; in the order given here
    actions, cameras : those to be used
    rate : frames a second
    drift : three takes of S9 whose joints are away from the person: "remove" them, "keep" them as they are, or "repair"
        them, for which the cameras' file is needed
    count : use so many frames in even steps; all when None
    size : side of the crops, px
    margin : side of a crop relative to the longer side of the joints' box
    cache : where crops are kept; the user's cache folder by default
    """

    folder: Path
    split: Literal["train", "validation", "test"] = attrs.field(
        default="train", validator=in_(("train", "validation", "test"))
    )
    subjects: tuple[str, ...] = attrs.field(default=(), validator=deep_iterable(in_(SUBJECTS)))
    actions: tuple[str, ...] = attrs.field(
        default=ACTIONS, validator=[min_len(1), deep_iterable(in_(ACTIONS))]
    )
    cameras: tuple[str, ...] = attrs.field(
        default=CAMERAS, validator=[min_len(1), deep_iterable(in_(CAMERAS))]
    )
    rate: int = attrs.field(default=10, validator=_divides_the_rate)
    drift: Drift = attrs.field(default="remove", validator=in_(("remove", "keep", "repair")))
    count: int | None = attrs.field(default=None, validator=optional(gt(0)))  # type: ignore[assignment]
    size: int = attrs.field(default=320, validator=gt(15))
    margin: float = attrs.field(default=1.25, validator=gt(0))
    cache: Path | None = None

    @classmethod
    def inspect(cls, folder: Path) -> Inventory | None:
        layout = find_layout(folder)
        return inspect_prepared(NAME, folder) if layout is None else inspect_layout(layout)

    @property
    def groups(self) -> tuple[str, ...]:
        """The actions in the order of the paper's Table 1."""
        return tuple(action for action in ACTIONS if action in self.actions)

    def group(self, index: int) -> str:
        return self.frame(index)[0].action

    @property
    def groupings(self) -> Mapping[str, tuple[str, ...]]:
        """Those of the paper's tables 1 and 3; the cameras that see one take see the same poses."""
        videos = (video for own in self._annotations for video in own.videos)
        takes = sorted({_take(video) for video in videos})
        return {
            "action": self.groups,
            "subject": self._subjects,
            "camera": tuple(camera for camera in CAMERAS if camera in self.cameras),
            "take": tuple(takes),
        }

    @property
    def clips(self) -> str:
        return "take"

    def labels(self, index: int) -> Mapping[str, str]:
        video, _ = self.frame(index)
        return {
            "action": video.action,
            "subject": video.subject,
            "camera": video.camera,
            "take": _take(video),
        }

    @property
    def published(self) -> tuple[Published, ...]:
        """The paper's own figures and those it compares itself with, where these are the subjects it tests on."""
        return PUBLISHED if set(self._subjects) == set(TEST) else ()

    def frame(self, index: int) -> tuple[Video, int]:
        """The video that sample `index` is from, and the frame's number in it, from zero at 50 a second."""
        shard, own = self.store.locate(index)
        annotations, record = self._annotations[shard], int(self.store.shards[shard].chosen[own])
        return annotations.videos[annotations.video[record]], int(annotations.frame[record])

    @functools.cached_property
    def store(self) -> CropStore:
        chosen = [np.flatnonzero(self._uses(own)) for own in self._annotations]
        starts = np.cumsum([0, *map(len, chosen)])
        if not starts[-1]:
            raise DataError(
                self.folder,
                f"frames of {', '.join(self._subjects)} in the actions and cameras chosen",
                "none",
                "look at `partgraph data check`, and choose others",
            )
        kept = evenly(int(starts[-1]), self.count)
        shards = []
        for k, (subject, own) in enumerate(zip(self._subjects, chosen, strict=True)):
            within = kept[(kept >= starts[k]) & (kept < starts[k + 1])] - starts[k]
            source = _Frames(self._layout, self._prepared(subject, ".npz"), self.margin)
            path = self._prepared(subject, ".npy")
            shards.append(Shard(path, len(self._annotations[k]), own[within], CropMaker(source, self.size)))
        return CropStore(shards)

    @property
    def _subjects(self) -> tuple[str, ...]:
        return self.subjects or _SUBJECTS_OF[self.split]

    @functools.cached_property
    def _layout(self) -> Layout:
        return layout_of(self.folder)

    @functools.cached_property
    def _annotations(self) -> list[Annotations]:
        """Of each subject, at the data set's rate: read once, then kept beside the crops."""
        there = self._layout.subjects()
        for subject in self._subjects:
            if subject not in there:
                found = ", ".join(there) or "no subject"
                do = "copy the subject there, or choose `subjects`"
                raise DataError(self.folder, f"poses of {subject}", found, do)
        return [self._read(subject) for subject in self._subjects]

    def _read(self, subject: str) -> Annotations:
        path = self._prepared(subject, ".npz")
        if not path.exists():
            read = self._layout.read(subject).where(lambda video: not video.is_missing).at_rate(self.rate)
            if self.drift == "repair":
                read = _repaired(read, self._layout.cameras(), self.folder)
            read.save(path)
        return Annotations.load(path)

    def _uses(self, annotations: Annotations) -> np.ndarray:
        used = [
            video.action in self.actions
            and video.camera in self.cameras
            and not (self.drift == "remove" and video.drifts)
            for video in annotations.videos
        ]
        return np.array(used, bool)[annotations.video]

    def _prepared(self, subject: str, suffix: str) -> Path:
        return self._folder / f"{subject}{suffix}"

    @functools.cached_property
    def _folder(self) -> Path:
        """Of everything prepared: the same for all splits, actions, cameras and counts."""
        recipe: dict[str, Any] = {
            "version": _VERSION,
            "layout": self._layout.title,
            "folder": str(self.folder.resolve()),
            "files": digest_of_files(self._layout.files()),
            "rate": self.rate,
            "repaired": self.drift == "repair",
            "size": self.size,
            "margin": self.margin,
        }
        return prepared_folder(NAME, recipe, self.cache)


def _take(video: Video) -> str:
    return f"{video.subject} {video.take}"


def _repaired(annotations: Annotations, cameras: Cameras | None, folder: Path) -> Annotations:
    """The joints of drifting videos moved back to the person, by a constant along the world's x."""
    pixels, camera = annotations.pixels.copy(), annotations.camera.copy()
    for k, video in enumerate(annotations.videos):
        if not video.drifts:
            continue
        if cameras is None or (video.subject, video.camera) not in cameras:
            do = "copy the release's metadata.xml there, or choose drift = 'remove' or 'keep'"
            raise DataError(folder, f"the camera of {video}, to repair its drift", "none", do)
        own, through = annotations.video == k, cameras[video.subject, video.camera]
        camera[own] = through.to_camera(through.to_world(camera[own]) - (DRIFT_X, 0, 0))
        pixels[own] = through.project(camera[own])
    return attrs.evolve(annotations, pixels=pixels, camera=camera)


@final
@attrs.frozen
class _Frames:
    """The people in one subject's frames (a `Source`)."""

    layout: Layout
    annotations: Path
    margin: float

    def __call__(self, index: int) -> Person:
        every = _load(self.annotations)
        video = every.videos[every.video[index]]
        pixels = mpii_joints(every.pixels[index])
        return Person(
            picture=self.layout.picture(video, int(every.frame[index])),
            box=square(pixels, self.margin),
            pixels=pixels,
            world=mpii_joints(every.camera[index]),
            visible=np.ones(len(pixels), bool),
        )


@functools.lru_cache(maxsize=2)
def _load(path: Path) -> Annotations:
    """Kept in each worker, which makes many records of one subject."""
    return Annotations.load(path)
