"""Prepared crops on disk: one array file per subject or list, made once, resumable, checked whenever it is read."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.learning.cache import CacheError, RecordCache, default_cache_folder, recipe_digest
from partgraph.learning.dataset import Inventory
from partgraph_humanpose.datasets.crops import CropMaker, checksum, record_type

RECIPE = "recipe.json"


def prepared_folder(name: str, recipe: Mapping[str, Any], cache: Path | None) -> Path:
    """The folder of everything made by one recipe, with the recipe in it; made when absent.

    Parameters
    ----------
    name : of the data set
    recipe : all that decides the records, as plain values
    cache : the folder above it, the user's cache folder when None
    """
    folder = (cache or default_cache_folder()) / f"{name}-{recipe_digest(recipe)}"
    path = folder / RECIPE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{RECIPE}.{os.getpid()}")
        temporary.write_text(json.dumps({"dataset": name, **recipe}, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    return folder


@final
@attrs.frozen(eq=False)
class Shard:
    """One array file, and the records in it that belong to a data set.

    Attributes
    ----------
    path : the file
    total : how many records it has room for
    chosen : (n,) int64, ascending: those of the data set
    make : makes any of them
    """

    path: Path
    total: int
    chosen: NDArray[np.int64]
    make: CropMaker

    @functools.cached_property
    def cache(self) -> RecordCache:
        """The file, made when absent."""
        return RecordCache(self.path, record_type(self.make.size), self.total)

    def read(self, index: int) -> np.void:
        """A copy of record `index` of those chosen, made now if it was missing.

        Raises
        ------
        CacheError
            When the file was damaged.
        """
        number = int(self.chosen[index])
        record = self.cache.get(number, self.make)
        if checksum(record) != record["checksum"]:
            raise CacheError(f"{self.path}: record {number} is damaged; delete the file to make it anew")
        return record


@final
@attrs.frozen(eq=False)
class CropStore:
    """Several shards as one sequence."""

    shards: Sequence[Shard]

    def __len__(self) -> int:
        return int(self._ends[-1])

    def locate(self, index: int) -> tuple[int, int]:
        """The shard of record `index`, and its place among those chosen there."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index %= len(self)
        shard = int(np.searchsorted(self._ends, index, side="right")) - 1
        return shard, index - int(self._ends[shard])

    def read(self, index: int) -> np.void:
        """Record `index` (see `Shard.read`)."""
        shard, own = self.locate(index)
        return self.shards[shard].read(own)

    def pending(self) -> int:
        """How many records have not been made yet."""
        return sum(len(shard.cache.missing(shard.chosen)) for shard in self.shards)

    def prepare(self, workers: int | None, advance: Callable[[int], None]) -> None:
        """Make what is pending (see `partgraph.learning.dataset.Dataset.prepare`)."""
        workers = os.cpu_count() or 1 if workers is None else workers
        if not workers or not self.pending():
            for shard in self.shards:
                shard.cache.fill(shard.make, None, advance, shard.chosen)
            return
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
            for shard in self.shards:
                shard.cache.fill(shard.make, executor, advance, shard.chosen)

    @functools.cached_property
    def _ends(self) -> NDArray[np.int64]:
        return np.cumsum([0, *(len(shard.chosen) for shard in self.shards)])


def digest_of_files(paths: Sequence[Path]) -> str:
    """Names the files and their sizes: another one when annotation is added or replaced."""
    return recipe_digest({str(path): path.stat().st_size for path in paths})


def evenly(total: int, count: int | None) -> NDArray[np.int64]:
    """Indices of `count` of `total` in even steps; all of them when None or when there are not so many."""
    if count is None or count >= total:
        return np.arange(total)
    return np.arange(count) * total // count


def inspect_prepared(name: str, folder: Path) -> Inventory | None:
    """What a folder of prepared records of the data set `name` holds; None when it is none. Reads every record."""
    try:
        recipe = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(recipe, dict) or recipe.pop("dataset", None) != name:
        return None
    records: dict[str, str] = {}
    problems = []
    for path in sorted(folder.glob("*.npy")):
        try:
            made, total, damaged = _verify(path, int(recipe["size"]))
        except CacheError as error:
            problems.append(str(error))
            continue
        records[path.stem] = f"{made} of {total} made"
        if damaged:
            problems.append(f"{path}: {damaged} damaged records; delete the file to make it anew")
    return Inventory("prepared crops", {"recipe": recipe, "records": records}, tuple(problems))


def _verify(path: Path, size: int) -> tuple[int, int, int]:
    """How many records are made, how many there are, and how many of those made are damaged."""
    try:
        total = len(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise CacheError(f"{path} cannot be read ({error}); delete the file to make it anew") from None
    records = RecordCache(path, record_type(size), total).records
    made = np.flatnonzero(records["done"])
    damaged = sum(checksum(records[index]) != records[index]["checksum"] for index in made)
    return len(made), total, damaged
