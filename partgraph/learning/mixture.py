"""The data set `mixture`: samples of several data sets in fixed shares, as when 2D annotations join 3D ones."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import final

import attrs
import numpy as np
from attrs.validators import gt, min_len, optional
from numpy.typing import NDArray

from partgraph.learning.dataset import Dataset, Sample
from partgraph.learning.experiment import Choice
from partgraph.learning.strict import ExperimentError

_ALIKE = ("parts", "limbs", "flip", "root")


@final
@attrs.frozen
class Member:
    """One data set of a mixture.

    Attributes
    ----------
    dataset : by name, with its options
    share : of the samples, relative to the other members' shares
    """

    dataset: Choice
    share: float = attrs.field(default=1.0, validator=gt(0))


@final
@attrs.frozen(eq=False)
class Mixture(Dataset):
    """Data sets of the same object, interleaved at random in given shares.

    A member's samples are all shown equally often, but for one; their order is drawn anew each time they have all been
    shown. Members may differ in what they know (see `Sample`).

    Attributes
    ----------
    members : the data sets and their shares
    count : number of samples; by default so many that every sample of every member is shown
    seed : of the order
    """

    members: tuple[Member, ...] = attrs.field(validator=min_len(1))
    count: int | None = attrs.field(default=None, validator=optional(gt(0)))  # type: ignore[assignment]
    seed: int = 0

    @property
    def parts(self) -> tuple[str, ...]:
        return self._datasets[0].parts

    @property
    def limbs(self) -> tuple[tuple[str, str], ...]:
        return self._datasets[0].limbs

    @property
    def flip(self) -> tuple[int, ...]:
        return self._datasets[0].flip

    @property
    def root(self) -> int:
        return self._datasets[0].root

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(group for dataset in self._datasets for group in dataset.groups))

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        member, own = self._order[index]
        sample = self._datasets[member][int(own)]
        if len(sample.image) != self._side:
            name = self.members[member].dataset.name
            raise ExperimentError(
                f"mixture: images must be of one size; found {self._side} px and, in {name!r}, {len(sample.image)} px; "
                f"give all members the same size"
            )
        return sample

    def pending(self) -> int:
        return sum(dataset.pending() for dataset in self._datasets)

    def prepare(self, workers: int | None = None, advance: Callable[[int], None] = lambda made: None) -> None:
        for dataset in self._datasets:
            dataset.prepare(workers, advance)

    @functools.cached_property
    def _datasets(self) -> tuple[Dataset, ...]:
        datasets = tuple(member.dataset.build("dataset") for member in self.members)
        for member, dataset in zip(self.members, datasets, strict=True):
            for what in _ALIKE:
                if getattr(dataset, what) != getattr(datasets[0], what):
                    raise ExperimentError(
                        f"mixture: members must show the same object; {member.dataset.name!r} and "
                        f"{self.members[0].dataset.name!r} differ in {what}; mix data sets of one skeleton"
                    )
        return datasets

    @functools.cached_property
    def _side(self) -> int:
        member, own = self._order[0]
        return len(self._datasets[member][int(own)].image)

    @functools.cached_property
    def _order(self) -> NDArray[np.int64]:
        """(count, 2) int64: for each sample its member, and its index there."""
        sizes = [len(dataset) for dataset in self._datasets]
        for member, size in zip(self.members, sizes, strict=True):
            if not size:
                raise ExperimentError(f"mixture: {member.dataset.name!r} has no samples; leave it out")
        shares = np.array([member.share for member in self.members], np.float64)
        shares /= shares.sum()
        count = int(np.ceil(np.max(sizes / shares) - 1e-9)) if self.count is None else self.count
        random = np.random.default_rng(self.seed)
        order = np.concatenate(
            [
                np.column_stack([np.full(number, member), _rounds(size, number, random)])
                for member, (size, number) in enumerate(zip(sizes, _apportion(shares, count), strict=True))
            ]
        )
        return random.permutation(order)


def _apportion(shares: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Whole numbers in proportion to `shares` that add up to `count` (largest remainders)."""
    exact = shares * count
    numbers = np.floor(exact + 1e-9).astype(np.int64)
    most = np.argsort(-(exact - numbers), kind="stable")[: count - numbers.sum()]
    numbers[most] += 1
    return numbers


def _rounds(size: int, number: int, random: np.random.Generator) -> NDArray[np.int64]:
    """`number` indices below `size`: all of them in random order, again and again."""
    rounds = [random.permutation(size) for _ in range(-(-number // size))]
    return np.concatenate([np.empty(0, np.int64), *rounds])[:number]
