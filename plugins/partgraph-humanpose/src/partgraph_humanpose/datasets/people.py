"""What the data sets of people in photographs have in common: crops that are prepared once."""

from __future__ import annotations

import abc
from collections.abc import Callable

from partgraph.learning.dataset import Sample
from partgraph_humanpose.datasets.store import CropStore
from partgraph_humanpose.human import HumanDataset


class People(HumanDataset, abc.ABC):
    """People in photographs; a subclass says which crops there are and how groups are called."""

    @property
    @abc.abstractmethod
    def store(self) -> CropStore:
        """The crops."""

    @abc.abstractmethod
    def group(self, index: int) -> str:
        """The group of sample `index`."""

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
