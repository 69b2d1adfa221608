"""What the data sets of people in photographs have in common: MPII's parts, and crops that are prepared once."""

from __future__ import annotations

import abc
from collections.abc import Callable

from partgraph.learning.dataset import Dataset, Sample
from partgraph_humanpose.datasets.store import CropStore
from partgraph_humanpose.skeleton import FLIP, LIMBS, PARTS, ROOT


class People(Dataset, abc.ABC):
    """People in photographs; a subclass says which crops there are and how groups are called."""

    @property
    @abc.abstractmethod
    def store(self) -> CropStore:
        """The crops."""

    @abc.abstractmethod
    def group(self, index: int) -> str:
        """The group of sample `index`."""

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

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        record = self.store.read(index)
        return Sample(
            image=record["image"],
            target=record["target"],
            world=record["world"],
            visible=record["visible"],
            group=self.group(index),
        )

    def pending(self) -> int:
        return self.store.pending()

    def prepare(self, workers: int | None = None, advance: Callable[[int], None] = lambda made: None) -> None:
        self.store.prepare(workers, advance)
