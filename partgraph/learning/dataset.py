"""What every data set yields: a cropped image with its target positions, and how its parts mirror."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.errors import PartGraphError


class MissingTruthError(PartGraphError, ValueError):
    """A sample without 3D truth was met where errors in three dimensions are measured."""


@attrs.frozen(eq=False)
class Sample:
    """One object in one cropped, square image.

    What nobody annotated is NaN, in `target` and in `world`: the depth of every part where only its place in the image
    is known, and all coordinates of a part that is not annotated at all. A loss leaves out the terms of such
    coordinates; where it does not, its value is NaN and training stops: a missing truth is never taken for zero.

    Attributes
    ----------
    image : (S, S, 3) uint8, RGB
    target : (N, 3) float32, px of the crop
        x to the right, y down, z away from the camera and zero at the root part, scaled so that the ratio of
        standard deviations of projected and real x, y also holds for z (the paper's section 3.2).
    world : (N, 3) float32, mm
        The same parts in camera coordinates: what reconstruction errors are measured against.
    visible : (N,) bool
        Whether a part is seen in the image, neither hidden nor outside.
    group : name of the clip, action or category that tables are split by
    """

    image: NDArray[np.uint8]
    target: NDArray[np.float32]
    world: NDArray[np.float32]
    visible: NDArray[np.bool_]
    group: str

    @property
    def is_3d(self) -> bool:
        """Whether every part's place in space is known, so that errors can be measured."""
        return bool(np.isfinite(self.world).all() and np.isfinite(self.target).all())


def require_3d(samples: Iterable[Sample], purpose: str) -> None:
    """Raise a `MissingTruthError` unless all samples have 3D truth; `purpose` says what for, as a noun."""
    for sample in samples:
        if not sample.is_3d:
            raise MissingTruthError(
                f"{purpose} needs the 3D position of every part; found a sample of group {sample.group!r} without; "
                f"choose a data set with depth, 2D ones are for training only"
            )


@final
@attrs.frozen
class Inventory:
    """What a folder holds of a data set.

    Attributes
    ----------
    layout : in which form, in a few words
    contents : what was found, as plain values by name: numbers, texts and lists of them
    problems : what is missing or malformed, one line each
    """

    layout: str
    contents: Mapping[str, Any]
    problems: tuple[str, ...] = ()


@final
@attrs.frozen
class Published:
    """Errors that others have printed for a method on this data set: facts to be shown beside one's own.

    Attributes
    ----------
    method : as tables name it
    source : where it is printed
    errors : mm, by what they are the mean of: "" for all samples, "walk" for a value of a grouping, and "S9/cam1" where
        two groupings are crossed
    """

    method: str
    source: str
    errors: Mapping[str, float]


class Dataset(Sequence[Sample], abc.ABC):
    """A finite, ordered collection of samples of one object.

    Subclasses are options records: a split is chosen at construction, and the same options always give the same
    samples.
    """

    @property
    @abc.abstractmethod
    def parts(self) -> tuple[str, ...]:
        """Names of the N parts, in the order of every ``(N, ...)`` array."""

    @property
    @abc.abstractmethod
    def limbs(self) -> tuple[tuple[str, str], ...]:
        """Pairs of parts that a drawing connects."""

    @property
    @abc.abstractmethod
    def flip(self) -> tuple[int, ...]:
        """``target[flip]`` relabels the parts of an image mirrored left to right."""

    @property
    @abc.abstractmethod
    def root(self) -> int:
        """Index of the part whose depth is zero."""

    @property
    @abc.abstractmethod
    def groups(self) -> tuple[str, ...]:
        """Every group a sample may belong to, in the order in which tables show them."""

    @property
    def groupings(self) -> Mapping[str, tuple[str, ...]]:
        """The ways in which tables split the samples: the values of each, in the order of tables.

        The first is that of `Sample.group`. Two others beside the clips' are crossed in a table of their own.
        """
        return {"group": self.groups}

    @property
    def clips(self) -> str:
        """The grouping whose samples are alike, as frames of one recording: uncertainty is taken over its values."""
        return next(iter(self.groupings))

    def labels(self, index: int) -> Mapping[str, str]:
        """The value of sample `index` in each of the `groupings`."""
        return {"group": self[index].group}

    @property
    def published(self) -> tuple[Published, ...]:
        """What others report on these samples, measured alike; none by default."""
        return ()

    @classmethod
    def inspect(cls, folder: Path) -> Inventory | None:
        """What `folder` holds of this data set; None when it is not recognised, or nothing is read from folders."""
        return None

    def pending(self) -> int:
        """How many samples still have to be made or converted before they can be read fast."""
        return 0

    def prepare(self, workers: int | None = None, advance: Callable[[int], None] = lambda made: None) -> None:
        """Make what is pending; may be interrupted and called again.

        Parameters
        ----------
        workers : processes, all cores by default; zero works in this one
        advance : told how many more samples are ready
        """
