"""Users' own pictures: read, cropped to the square that a network takes, and mapped back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.errors import PartGraphError

_LARGEST = 10  # side of a crop relative to the picture's longer side; beyond it there is nothing but border
MARGIN = 1.12  # side of the crop relative to the person's box, the middle of what networks are trained with


class PhotoError(PartGraphError, ValueError):
    """A picture that cannot be used; the message names it."""


@final
@attrs.frozen
class Box:
    """Where the object is in a picture: left, top, width and height in pixels."""

    left: float
    top: float
    width: float
    height: float


@final
@attrs.frozen(eq=False)
class Crop:
    """A square part of a picture, resized.

    Attributes
    ----------
    image : (S, S, 3) uint8, RGB
    left, top : corner of the square in the picture, px
    scale : pixels of the picture per pixel of the crop
    """

    image: NDArray[np.uint8]
    left: float
    top: float
    scale: float

    def to_picture(self, positions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Positions (..., 3) in the crop as pixels of the picture; depth is scaled alike."""
        moved = np.asarray(positions, np.float64) * self.scale
        return moved + np.array([self.left, self.top, 0.0])


def read_photo(path: Path, enough: int | None = None) -> NDArray[np.uint8]:
    """A picture as (H, W, 3) uint8 RGB, upright as its EXIF orientation says.

    Parameters
    ----------
    enough : px; a JPEG whose sides are all at least twice as long may be read at a half, a quarter or an eighth of its
        size, which is faster. The whole picture when None

    Raises
    ------
    PhotoError
        When there is no such file or it is not a picture.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if enough is not None:
                image.draft("RGB", (enough, enough))
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16 bits of grey, of which Pillow would keep what is below 256
                upright = Image.fromarray((np.asarray(upright) // 257).clip(0, 255).astype(np.uint8))
            return np.asarray(upright.convert("RGB"))
    except FileNotFoundError:
        raise PhotoError(f"{path}: no such file; give the path of a JPEG or PNG picture") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PhotoError(f"{path}: cannot be read as a picture ({error}); give a JPEG or PNG file") from None


def crop_photo(picture: NDArray[np.uint8], box: Box | None, size: int, margin: float = MARGIN) -> Crop:
    """The square around a box, `margin` times its longer side, resized to `size` pixels.

    Where the square leaves the picture, the picture's border is repeated, as a grey frame would look like an object.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    box : the object; the whole picture when None, then without margin

    Raises
    ------
    PhotoError
        When the box does not overlap the picture.
    """
    from PIL import Image

    height, width = picture.shape[:2]
    if box is None:
        box, margin = Box(0, 0, width, height), 1.0
    if not all(map(math.isfinite, attrs.astuple(box))):
        raise PhotoError(f"a box must have four finite numbers; found {box}")
    if box.width <= 0 or box.height <= 0:
        raise PhotoError(
            f"a box of {box.width:g} x {box.height:g} px is empty; give width and height above zero"
        )
    if box.left >= width or box.top >= height or box.left + box.width <= 0 or box.top + box.height <= 0:
        raise PhotoError(
            f"the box {box.left:g} {box.top:g} {box.width:g} {box.height:g} lies outside the picture of "
            f"{width} x {height} px; give left, top, width and height in the picture's pixels"
        )
    side = max(box.width, box.height) * margin
    if side > _LARGEST * max(height, width):
        raise PhotoError(
            f"a box of {box.width:g} x {box.height:g} px is far larger than the picture of {width} x {height} px; "
            f"give left, top, width and height in the picture's pixels"
        )
    left = box.left + box.width / 2 - side / 2
    top = box.top + box.height / 2 - side / 2
    before = np.maximum(np.ceil([-top, -left]), 0).astype(int)
    after = np.maximum(np.ceil([top + side - height, left + side - width]), 0).astype(int)
    padded = np.pad(picture, ((before[0], after[0]), (before[1], after[1]), (0, 0)), mode="edge")
    corner = (left + before[1], top + before[0])
    image = Image.fromarray(padded).resize(
        (size, size),
        Image.Resampling.BILINEAR,  # antialiased when it shrinks
        box=(corner[0], corner[1], corner[0] + side, corner[1] + side),
    )
    return Crop(np.asarray(image), left, top, side / size)
