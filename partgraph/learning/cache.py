"""Records that are made once and kept in one array file, so that making them may be interrupted at any time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, as_completed
from pathlib import Path
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from partgraph.errors import PartGraphError

_CHUNK = 16  # records that a worker makes between two reports of progress


class Maker(Protocol):
    """Makes record `index`; a picklable object, since workers may be other processes."""

    def __call__(self, index: int) -> Mapping[str, Any]:
        """Values of the record's fields."""


def default_cache_folder() -> Path:
    """``$PARTGRAPH_CACHE``, or the user's cache folder."""
    chosen = os.environ.get("PARTGRAPH_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "partgraph"


def recipe_digest(recipe: Mapping[str, Any]) -> str:
    """Short name of a recipe: equal for equal JSON values, different otherwise."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:12]


class CacheError(PartGraphError, ValueError):
    """A file that does not hold the records it should."""


@final
class RecordCache:
    """One ``.npy`` file of `count` records; a record is complete when its field ``done`` is set.

    The flag is written after the record's other fields, so a process that is killed leaves whole records and missing
    ones, never half a record that counts.

    Parameters
    ----------
    path : the file, made when absent
    dtype : structured dtype of the records, without ``done``
    count : number of records

    Raises
    ------
    CacheError
        When the file holds something else.
    """

    def __init__(self, path: Path, dtype: np.dtype, count: int) -> None:
        self.path = Path(path)
        full = np.dtype([*((name, dtype[name]) for name in dtype.names or ()), ("done", np.bool_)])
        if not self.path.exists():
            _create(self.path, full, count)
        try:
            self.records: NDArray[np.void] = np.lib.format.open_memmap(self.path, mode="r+")
        except (OSError, ValueError) as error:
            raise CacheError(
                f"{self.path} cannot be read ({error}); delete the file to make it anew"
            ) from None
        if self.records.dtype != full or self.records.shape != (count,):
            raise CacheError(
                f"{self.path} holds {self.records.shape} records of {self.records.dtype}, but ({count},) of {full} "
                f"were asked for; delete the file to make it anew"
            )

    def __len__(self) -> int:
        return len(self.records)

    def missing(self, among: NDArray[np.integer] | None = None) -> NDArray[np.intp]:
        """Indices of the records that have not been made, ascending; of those in `among`, in their order, if given."""
        if among is None:
            return np.flatnonzero(~self.records["done"])
        return np.asarray(among, np.intp)[~self.records["done"][among]]

    def get(self, index: int, make: Maker) -> np.void:
        """A copy of record `index`, made now if it was missing."""
        if not self.records["done"][index]:
            _write(self.records, index, make)
        return self.records[index].copy()

    def fill(
        self,
        make: Maker,
        executor: Executor | None = None,
        advance: Callable[[int], None] = lambda made: None,
        among: NDArray[np.integer] | None = None,
    ) -> None:
        """Make every missing record.

        Parameters
        ----------
        make : called as ``make(index)``
        executor : runs the work elsewhere, for example a process pool
        advance : told how many more records are complete
        among : indices to which this is limited
        """
        for made in self._chunks(make, executor, self.missing(among)):
            advance(made)

    def _chunks(self, make: Maker, executor: Executor | None, missing: NDArray[np.intp]) -> Iterator[int]:
        chunks = [missing[start : start + _CHUNK] for start in range(0, len(missing), _CHUNK)]
        if executor is None:
            for chunk in chunks:
                for index in chunk:
                    _write(self.records, int(index), make)
                yield len(chunk)
        else:
            futures = [executor.submit(_fill_chunk, self.path, chunk.tolist(), make) for chunk in chunks]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                for future in futures:
                    future.cancel()


def _create(path: Path, dtype: np.dtype, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=(count,)).flush()
    temporary.replace(path)


def _fill_chunk(path: Path, indices: Iterable[int], make: Maker) -> int:
    """Worker: make records of the file at `path`; how many."""
    records = np.lib.format.open_memmap(path, mode="r+")
    made = 0
    for index in indices:
        _write(records, index, make)
        made += 1
    return made


def _write(records: NDArray[np.void], index: int, make: Maker) -> None:
    """Make record `index`; the flag comes last, so that a killed process leaves no half record that counts."""
    record = records[index : index + 1]
    for name, value in make(index).items():
        record[name][0] = value
    record["done"][0] = True
