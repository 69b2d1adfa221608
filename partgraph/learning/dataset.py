"""What every data set yields: a cropped image with its target positions, and how its parts mirror."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray


@attrs.frozen(eq=False)
class Sample:
    """One object in one cropped, square image.

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
