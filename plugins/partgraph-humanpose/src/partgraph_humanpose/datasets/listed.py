"""People of 2D data sets: a list of pictures with joints in pixels, and no depth."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Self, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.learning.photo import read_photo
from partgraph_humanpose.datasets.crops import CropMaker, Person, square_at
from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.store import CropStore, Shard, digest_of_files, evenly, prepared_folder
from partgraph_humanpose.skeleton import PARTS

FROM_ONE = 0.5
"""px: by how much MATLAB's coordinates, with one in the first pixel's middle, exceed ours, with zero in its corner."""


@final
@attrs.frozen(eq=False)
class Listed:
    """People in pictures.

    Attributes
    ----------
    names : (n,) str, the pictures' files
    pixels : (n, 16, 2) float64, px, NaN where nobody annotated
    visible : (n, 16) bool
    boxes : (n, 3) float64, px: centre x, y and side of the square to be cut out
    """

    names: NDArray[np.str_]
    pixels: NDArray[np.float64]
    visible: NDArray[np.bool_]
    boxes: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.names)

    def annotated(self) -> Self:
        """Those with a joint and a box."""
        known = np.isfinite(self.pixels).all(axis=2)
        some = np.any(known, axis=1) & np.isfinite(self.boxes).all(1) & (self.boxes[:, 2] > 0)
        return type(self)(self.names[some], self.pixels[some], self.visible[some], self.boxes[some])

    def save(self, path: Path) -> None:
        """Write the arrays to an ``.npz`` file, whole or not at all."""
        temporary = path.with_name(f"{path.name}.{os.getpid()}.npz")
        np.savez(temporary, **attrs.asdict(self))
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(*(arrays[field.name] for field in attrs.fields(cls)))


def listed_store(
    name: str,
    part: str,
    read: Callable[[], Listed],
    annotation: Path,
    *,
    version: int,
    images: Path,
    margin: float,
    size: int,
    count: int | None,
    cache: Path | None,
) -> CropStore:
    """The crops of a list of people.

    Parameters
    ----------
    name, part : of the data set, and of its part that makes one file
    read : reads the annotation, which is then kept beside the crops
    annotation : the file that it reads
    version : of the reader: raise it when the same file gives other records
    images : folder of the pictures
    margin, size : of the crops
    count : use so many in even steps
    """
    recipe = {
        "version": version,
        "folder": str(images.parent.resolve()),
        "files": digest_of_files([annotation]),
        "margin": margin,
        "size": size,
    }
    folder = prepared_folder(name, recipe, cache)
    path = folder / f"{part}.npz"
    if not path.exists():
        people = read().annotated()
        if not len(people):
            raise DataError(
                images.parent, f"annotated people for {part}", "none", "check which files these are"
            )
        people.save(path)
    total = len(Listed.load(path))
    source = _Pictures(path, images)
    return CropStore([Shard(folder / f"{part}.npy", total, evenly(total, count), CropMaker(source, size))])


def missing_pictures(people: Listed, images: Path) -> tuple[str, ...]:
    """A line for ``partgraph data check`` when pictures are missing."""
    names = np.unique(people.names)
    absent = [name for name in names if not (images / name).is_file()]
    return (f"no file for {len(absent)} of {len(names)} pictures, as {images / absent[0]}",) if absent else ()


@final
@attrs.frozen
class _Pictures:
    """The people of a list (a `Source`)."""

    people: Path
    images: Path

    def __call__(self, index: int) -> Person:
        every = _load(self.people)
        return Person(
            picture=read_photo(self.images / str(every.names[index])),
            box=square_at(every.boxes[index, :2], float(every.boxes[index, 2])),
            pixels=every.pixels[index],
            world=np.full((len(PARTS), 3), np.nan),
            visible=every.visible[index],
        )


@functools.lru_cache(maxsize=2)
def _load(path: Path) -> Listed:
    return Listed.load(path)
