"""A data set: kites in the sky, drawn on demand, with exact positions in space.

Picture k depends on the options and k alone: that is all that makes training repeatable. Replace `_kite`
and the drawing by your own object, or read annotations from files: what a sample does not know is NaN.
"""

from __future__ import annotations

from typing import Literal, final

import attrs
import numpy as np
from partgraph.learning.dataset import Dataset, Sample

PARTS = ("nose", "left-wing", "right-wing", "tail")
_KITE = np.array([[0.0, -400, 0], [-300, 0, 0], [300, 0, 0], [0, 600, 120]])  # mm, seen from below
_COLORS = np.array([[220, 40, 40], [40, 90, 220], [40, 90, 220], [240, 200, 40]], np.uint8)
_SKY = (200, 225, 245)
_SPLITS = ("train", "validation", "test")


@final
@attrs.frozen(eq=False)
class TemplateName(Dataset):
    """Options, which the tables of [data] in an experiment's file fill in.

    Attributes
    ----------
    split : pictures of different splits have nothing in common
    count : number of pictures
    size : their side, px
    seed : of everything random
    """

    split: Literal["train", "validation", "test"] = attrs.field(
        default="train", validator=attrs.validators.in_(_SPLITS)
    )
    count: int = attrs.field(default=1000, validator=attrs.validators.gt(0))  # type: ignore[assignment]
    size: int = attrs.field(default=64, validator=attrs.validators.gt(15))
    seed: int = 0

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts."""
        return PARTS

    @property
    def limbs(self) -> tuple[tuple[str, str], ...]:
        """The spars of the kite."""
        return (("nose", "tail"), ("left-wing", "right-wing"))

    @property
    def flip(self) -> tuple[int, ...]:
        """In a mirror the wings change places."""
        return (0, 2, 1, 3)

    @property
    def root(self) -> int:
        """Depth is measured from the nose."""
        return 0

    @property
    def groups(self) -> tuple[str, ...]:
        """Tables are split by where the kite flies to."""
        return ("up", "down")

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        if not 0 <= index < self.count:
            raise IndexError(f"sample {index} of {self.count}")
        random = np.random.default_rng([self.seed, _SPLITS.index(self.split), index])
        world = _kite(random)
        target = _project(world, self.size, random)
        return Sample(
            image=_draw(target, self.size, random),
            target=target.astype(np.float32),
            world=world.astype(np.float32),
            visible=np.ones(len(PARTS), dtype=np.bool_),
            group=self.groups[int(world[0, 1] > world[3, 1])],
        )


def _kite(random: np.random.Generator) -> np.ndarray:
    """(N, 3) mm in camera coordinates, x to the right, y down: a kite of some span, turned in some way."""
    turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
    turn[:, 0] *= np.linalg.det(turn)  # a rotation, and no mirror
    shape = _KITE * random.uniform(0.8, 1.2, (1, 3))
    return shape @ turn.T + [0, 0, 5000]


def _project(world: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    """(N, 3) px of the picture, seen from far away: one scale for all axes, depth relative to the nose."""
    centered = world - world.mean(0)
    scale = random.uniform(0.25, 0.4) * size / np.linalg.norm(centered, axis=1).max()
    target = centered * scale + [size / 2, size / 2, 0]
    target[:, 2] -= target[0, 2]
    return target


def _draw(target: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    """(S, S, 3) uint8: spars as thin lines and parts as discs, the nearest last."""
    image = np.full((size, size, 3), _SKY, dtype=np.uint8)
    y, x = np.mgrid[:size, :size] + 0.5
    for first, second in ((0, 3), (1, 2)):
        for t in np.linspace(0, 1, size):
            at = (1 - t) * target[first] + t * target[second]
            image[int(at[1]), int(at[0])] = 90
    for part in np.argsort(-target[:, 2]):
        disc = (x - target[part, 0]) ** 2 + (y - target[part, 1]) ** 2 < (size / 20) ** 2
        image[disc] = _COLORS[part]
    noise = random.integers(-8, 9, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def examples() -> list[TemplateName]:
    """Return small data sets for the conformance checks."""
    return [
        TemplateName(count=12, size=32),
        TemplateName("test", count=5, seed=3),
    ]
