"""The data set `synthetic-human`: rendered figures in recorded motion, with exact 3D joints.

It needs nothing but this package: pictures are made on demand from a seed and kept in one array file. Clips, never
frames, separate training from test.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, final

import attrs
import numpy as np
from attrs.validators import gt, in_

from partgraph.learning.photographs import photographs_of, scene_recipe
from partgraph.learning.rendered import RenderedDataset
from partgraph.rendering import Picture, SceneOptions, draw_scene
from partgraph_humanpose.figure.body import load_body
from partgraph_humanpose.figure.clothes import clothes
from partgraph_humanpose.figure.poses import PoseMixing, PoseSampler
from partgraph_humanpose.human import HumanDataset
from partgraph_humanpose.motion import MotionClip, embedded_clips, read_motion

TEST_CLIPS = ("backflip", "dance_b", "getup_faceup", "kick", "walk")
_TRAIN_SHARE = 0.88  # of each training clip; the frames after it are for validation
_SHAPE_SPREAD = 0.8
_RENDERER = 1  # part of the cache's name: raise it when the same seed gives another picture

Split = Literal["train", "validation", "test"]


@final
@attrs.frozen(eq=False)
class SyntheticHuman(HumanDataset, RenderedDataset):
    """Rendered people in motion.

    Attributes
    ----------
    split : "train" and "validation" show the first and last frames of ten clips, "test" five clips of their own
    count : number of pictures
    size : their side, px
    seed : of everything random; picture k depends on the seed and k alone
    motion : files or folders of further motion capture (ASF / AMC, BVH) that training poses are drawn from
    motion_share : probability that a training pose comes from them
    mixing : how training poses are varied; the other splits show frames as recorded
    scene : camera, crop, occluders, noise and photographs
    folder : where pictures are kept; the user's cache folder by default
    """

    split: Split = attrs.field(default="train", validator=in_(("train", "validation", "test")))
    count: int = attrs.field(default=2000, validator=gt(0))
    size: int = attrs.field(default=128, validator=gt(15))
    seed: int = 0
    motion: tuple[str, ...] = ()
    motion_share: float = 0.5
    mixing: PoseMixing = attrs.Factory(lambda: PoseMixing(limbs=0.6, root=0.15, tumble=0.15, noise=0.08))
    scene: SceneOptions = attrs.Factory(SceneOptions)
    folder: Path | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(clip.name for clip in _clips(self.split, self.motion))

    @property
    def groupings(self) -> Mapping[str, tuple[str, ...]]:
        return {"clip": self.groups}

    def labels(self, index: int) -> Mapping[str, str]:
        return {"clip": self[index].group}

    @property
    def stem(self) -> str:
        return f"synthetic-human-{self.split}"

    def recipe(self) -> Mapping[str, Any]:
        own = attrs.asdict(self, filter=attrs.filters.exclude("folder", "count", "motion", "scene"))
        return own | {
            "scene": scene_recipe(self.scene),
            "renderer": _RENDERER,
            "clips": _digest(_clips(self.split, self.motion)),
        }

    def draw(self, index: int) -> tuple[Picture, int]:
        random = np.random.default_rng([self.seed, ("train", "validation", "test").index(self.split), index])
        sampler = _sampler(self.split, self.motion, self.motion_share, self.mixing)
        # Test clips take turns, so that every clip has equally many pictures however short it is.
        turn = index % len(sampler.clips) if self.split == "test" else None
        rotations, clip = sampler.draw(random, turn)
        body = load_body()
        posed = body.pose(random.normal(size=len(body.components)) * _SHAPE_SPREAD, rotations)
        picture = draw_scene(
            posed, functools.partial(clothes, body), self.size, self.scene, random, photographs_of(self.scene)
        )
        return picture, clip


@functools.cache
def _sampler(split: Split, motion: tuple[str, ...], motion_share: float, mixing: PoseMixing) -> PoseSampler:
    clips = _clips(split, motion)
    if split != "train":
        return PoseSampler(clips)
    own = len(_clips(split, ()))
    weights = np.array([len(clip.rotations) for clip in clips], np.float64)
    if len(clips) > own:
        weights[:own] *= (1 - motion_share) / weights[:own].sum()
        weights[own:] *= motion_share / weights[own:].sum()
    return PoseSampler(clips, mixing, tuple(weights))


def _digest(clips: Sequence[MotionClip]) -> str:
    """Names what is moved, not where its files lie."""
    content = hashlib.sha256()
    for clip in clips:
        content.update(clip.name.encode() + clip.rotations.tobytes())
    return content.hexdigest()[:16]


@functools.cache
def _clips(split: Split, motion: tuple[str, ...]) -> tuple[MotionClip, ...]:
    """The clips of a split, each with the frames that belong to it."""
    clips = embedded_clips()
    if split == "test":
        return tuple(clip for clip in clips if clip.name in TEST_CLIPS)
    training = [clip for clip in clips if clip.name not in TEST_CLIPS]
    if split == "validation":
        return tuple(clip[round(_TRAIN_SHARE * len(clip)) :] for clip in training)
    own = [clip[: round(_TRAIN_SHARE * len(clip))] for clip in training]
    return (*own, *(clip for path in motion for clip in read_motion(path)))
