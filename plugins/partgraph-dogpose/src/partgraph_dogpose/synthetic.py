"""The data set `synthetic-dog`: rendered dogs in programs of motion, with exact 3D joints.

It needs nothing but this package. Programs, never frames, separate training from validation and test.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, final

import attrs
import numpy as np
from attrs.validators import gt, in_

from partgraph.learning.photographs import photographs_of, scene_recipe
from partgraph.learning.rendered import RenderedDataset
from partgraph.rendering import Picture, SceneOptions, draw_scene
from partgraph_dogpose.figure.body import Breed, load_dog
from partgraph_dogpose.figure.coat import coat
from partgraph_dogpose.figure.poses import PoseMixing, PoseSampler
from partgraph_dogpose.figure.programs import TEST_PROGRAMS, TRAIN_PROGRAMS, VALIDATION_PROGRAMS
from partgraph_dogpose.skeleton import FLIP, LIMBS, PARTS, ROOT

_RENDERER = 1  # part of the cache's name: raise it when the same seed gives another picture
_PROGRAMS = {"train": TRAIN_PROGRAMS, "validation": VALIDATION_PROGRAMS, "test": TEST_PROGRAMS}

Split = Literal["train", "validation", "test"]


@final
@attrs.frozen(eq=False)
class SyntheticDog(RenderedDataset):
    """Rendered dogs in motion.

    Attributes
    ----------
    split : each has programs of motion of its own
    count : number of pictures
    size : their side, px
    seed : of everything random; picture k depends on the seed and k alone
    mixing : how training poses are varied; the other splits show the programs' own
    scene : camera, crop, occluders, noise and photographs
    folder : where pictures are kept; the user's cache folder by default
    """

    split: Split = attrs.field(default="train", validator=in_(tuple(_PROGRAMS)))
    count: int = attrs.field(default=2000, validator=gt(0))
    size: int = attrs.field(default=128, validator=gt(15))
    seed: int = 0
    mixing: PoseMixing = attrs.Factory(lambda: PoseMixing(limbs=0.6, tumble=0.1, noise=0.06))
    scene: SceneOptions = attrs.Factory(lambda: SceneOptions(distance=(2.2, 4.0), elevation=(-0.05, 0.6)))
    folder: Path | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        return PARTS

    @property
    def limbs(self) -> tuple[tuple[str, str], ...]:
        return LIMBS

    @property
    def flip(self) -> tuple[int, ...]:
        return FLIP

    @property
    def root(self) -> int:
        return ROOT

    @property
    def groups(self) -> tuple[str, ...]:
        return _PROGRAMS[self.split]

    @property
    def groupings(self) -> Mapping[str, tuple[str, ...]]:
        return {"program": self.groups}

    def labels(self, index: int) -> Mapping[str, str]:
        return {"program": self[index].group}

    @property
    def stem(self) -> str:
        return f"synthetic-dog-{self.split}"

    def recipe(self) -> Mapping[str, Any]:
        own = attrs.asdict(self, filter=attrs.filters.exclude("folder", "count", "scene"))
        return own | {"scene": scene_recipe(self.scene), "renderer": _RENDERER, "programs": self.groups}

    def draw(self, index: int) -> tuple[Picture, int]:
        random = np.random.default_rng([self.seed, tuple(_PROGRAMS).index(self.split), index])
        dog = load_dog()
        training = self.split == "train"
        sampler = PoseSampler(self.groups, self.mixing if training else PoseMixing())
        # Where errors are measured programs take turns, so that every one has equally many pictures.
        turn = None if training else index % len(self.groups)
        angles, root, program = sampler.draw(dog, random, turn)
        posed = dog.pose(angles, root, Breed.draw(random))
        picture = draw_scene(
            posed, functools.partial(coat, dog), self.size, self.scene, random, photographs_of(self.scene)
        )
        return picture, program
