"""A person in a picture becomes the record of a sample: square crop, target and truth, with a checksum."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Protocol, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.learning.depth import relative_depth
from partgraph.learning.photo import Box, crop_photo
from partgraph_humanpose.skeleton import PARTS, ROOT

FIELDS = ("image", "target", "world", "visible")


@final
@attrs.frozen(eq=False)
class Person:
    """Somebody in a picture; NaN where nobody annotated.

    Attributes
    ----------
    picture : (H, W, 3) uint8, RGB
    box : the square to be cut out, px of the picture
    pixels : (16, 2) float, px of the picture
    world : (16, 3) float, mm, camera coordinates
    visible : (16,) bool
    """

    picture: NDArray[np.uint8]
    box: Box
    pixels: NDArray[np.floating]
    world: NDArray[np.floating]
    visible: NDArray[np.bool_]


class Source(Protocol):
    """Finds people by number; a small picklable value, since workers are other processes."""

    def __call__(self, index: int) -> Person:
        """Person `index`."""


def record_type(size: int) -> np.dtype:
    """The structured dtype of records with crops of `size` pixels."""
    return np.dtype(
        [
            ("image", np.uint8, (size, size, 3)),
            ("target", np.float32, (len(PARTS), 3)),
            ("world", np.float32, (len(PARTS), 3)),
            ("visible", np.bool_, (len(PARTS),)),
            ("checksum", np.uint32),
        ]
    )


@final
@attrs.frozen
class CropMaker:
    """Makes the record of a person (a `partgraph.learning.cache.Maker`).

    Attributes
    ----------
    source : where people are found
    size : side of the crops, px
    """

    source: Source
    size: int

    def __call__(self, index: int) -> Mapping[str, Any]:
        person = self.source(index)
        crop = crop_photo(person.picture, person.box, self.size, margin=1.0)
        at = (person.pixels - (crop.left, crop.top)) / crop.scale
        known = np.isfinite(person.world).all()
        depth = relative_depth(at, person.world, ROOT) if known else np.full(len(at), np.nan)
        height, width = person.picture.shape[:2]
        inside = ((person.pixels >= 0) & (person.pixels < (width, height))).all(
            1
        )  # not a number is not inside
        values = {
            "image": crop.image,
            "target": np.column_stack([at, depth]).astype(np.float32),
            "world": person.world.astype(np.float32),
            "visible": person.visible & inside,
        }
        return values | {"checksum": checksum(values)}


def checksum(record: Any) -> int:
    """CRC-32 of a record's fields, by which damage on disk is noticed."""
    value = 0
    for name in FIELDS:
        value = zlib.crc32(np.ascontiguousarray(record[name]).tobytes(), value)
    return value


def square(pixels: NDArray[np.floating], margin: float) -> Box:
    """The square around annotated joints (N, 2) whose side is `margin` times the longer side of their box."""
    low, high = np.nanmin(pixels, 0), np.nanmax(pixels, 0)
    return square_at((low + high) / 2, float((high - low).max()) * margin)


def square_at(center: NDArray[np.floating], side: float) -> Box:
    """The square of a side, in px, around a centre (2,)."""
    left, top = np.asarray(center, np.float64) - side / 2
    return Box(float(left), float(top), side, side)
