"""Pictures as data URIs, so that a page needs no other file."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np

from partgraph.errors import MissingPackageError

if TYPE_CHECKING:
    from types import ModuleType

_LONGEST_SIDE = 960  # px; more does not show on a page and only weighs
_JPEG_QUALITY = 86


def pillow() -> ModuleType:
    """Pillow's Image module, or an error that says how to get it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingPackageError(
            "reports and pictures need Pillow, which is not installed; install it with: pip install pillow"
        ) from error
    return Image


def data_uri(image: np.ndarray) -> str:
    """A JPEG of the picture, at most 960 pixels long, as a data URI.

    Parameters
    ----------
    image : array
        (H, W, 3) uint8, RGB.
    """
    picture = pillow().fromarray(image)
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
