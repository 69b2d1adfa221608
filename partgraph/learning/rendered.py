"""Data sets that draw their own pictures: made on demand from a seed, and kept in one array file."""

from __future__ import annotations

import abc
import functools
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, final

import attrs
import numpy as np

from partgraph.learning.cache import RecordCache, default_cache_folder, recipe_digest
from partgraph.learning.dataset import Dataset, Sample
from partgraph.learning.depth import relative_depth
from partgraph.rendering import Picture


class RenderedDataset(Dataset):
    """A data set whose pictures a subclass draws; picture k depends on the options and k alone.

    Subclasses are attrs records, as they are sent to the processes that draw.

    Attributes
    ----------
    count : number of pictures
    size : their side, px
    folder : where pictures are kept; the user's cache folder by default
    """

    count: int  # type: ignore[assignment]  # not Sequence.count
    size: int
    folder: Path | None

    @property
    @abc.abstractmethod
    def stem(self) -> str:
        """How the names of its files begin."""

    @abc.abstractmethod
    def recipe(self) -> Mapping[str, Any]:
        """Everything but `count` that decides the pictures, as JSON values; another recipe is another file."""

    @abc.abstractmethod
    def draw(self, index: int) -> tuple[Picture, int]:
        """Picture `index`, and the index of its group."""

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        if not -self.count <= index < self.count:
            raise IndexError(f"sample {index} of {self.count}")
        record = self._cache.get(index % self.count, self._maker)
        return Sample(
            image=record["image"],
            target=record["target"],
            world=record["world"],
            visible=record["visible"],
            group=self.groups[record["group"]],
        )

    def prepare(self, workers: int | None = None, advance: Callable[[int], None] = lambda made: None) -> None:
        """Render whatever is missing (see `Dataset.prepare`)."""
        workers = os.cpu_count() or 1 if workers is None else workers
        if workers and self.pending():
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
                self._cache.fill(self._maker, executor, advance)
        else:
            self._cache.fill(self._maker, None, advance)

    def pending(self) -> int:
        """How many pictures have not been rendered yet."""
        return len(self._cache.missing())

    @property
    def path(self) -> Path:
        """The array file with the pictures; its name holds a digest of everything that decides them."""
        name = f"{self.stem}-{self.count}-{self.size}px-{recipe_digest(self.recipe())}.npy"
        return (self.folder or default_cache_folder()) / name

    @functools.cached_property
    def _cache(self) -> RecordCache:
        parts = len(self.parts)
        fields = [
            ("image", np.uint8, (self.size, self.size, 3)),
            ("target", np.float32, (parts, 3)),
            ("world", np.float32, (parts, 3)),
            ("visible", np.bool_, (parts,)),
            ("group", np.int16),
        ]
        return RecordCache(self.path, np.dtype(fields), self.count)

    @property
    def _maker(self) -> _Maker:
        return _Maker(attrs.evolve(self))  # type: ignore[misc]  # subclasses are attrs records


@final
@attrs.frozen
class _Maker:
    """Makes record `index`, maybe in another process."""

    dataset: RenderedDataset

    def __call__(self, index: int) -> Mapping[str, Any]:
        picture, group = self.dataset.draw(index)
        depth = relative_depth(picture.projected, picture.camera, self.dataset.root)
        return {
            "image": picture.image,
            "target": np.column_stack([picture.projected, depth]),
            "world": picture.camera * 1000,
            "visible": picture.visible,
            "group": group,
        }
