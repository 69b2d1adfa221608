"""Photographs of one's own in rendered pictures: random parts of them are backgrounds, and stand before the object.

Which files there are is decided by their content: copies elsewhere, or under other names, make the same pictures.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.learning.photo import PhotoError, read_photo
from partgraph.rendering import SceneOptions

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
_SMALLEST = 0.4  # of the largest part of a photograph that has the shape asked for
_OPTIONS = frozenset({"photographs", "photo_background", "photo_occluders"})  # of a scene


@final
@attrs.frozen
class Photographs:
    """Pictures that random parts are taken from.

    Attributes
    ----------
    files : in the order of the digests of their content, each content once
    digest : of all of it
    """

    files: tuple[Path, ...]
    digest: str

    @classmethod
    def below(cls, folders: tuple[str, ...]) -> Photographs:
        """The JPEG and PNG files in folders and below them.

        Raises
        ------
        PhotoError
            When there is no such folder, or no such file in it.
        """
        found = {_digest(path.read_bytes()): path for folder in folders for path in _pictures(folder)}
        return cls(tuple(found[own] for own in sorted(found)), _digest("".join(sorted(found)).encode()))

    def __call__(self, height: int, width: int, random: np.random.Generator) -> NDArray[np.float64]:
        """A random part of a random photograph, maybe mirrored: (height, width, 3), RGB in [0, 1]."""
        from PIL import Image

        enough = int(max(height, width) / _SMALLEST) + 1
        photo = Image.fromarray(read_photo(self.files[random.integers(len(self.files))], enough))
        scale = random.uniform(_SMALLEST, 1) * min(photo.height / height, photo.width / width)
        left = random.uniform(0, photo.width - scale * width)
        top = random.uniform(0, photo.height - scale * height)
        box = (left, top, min(left + scale * width, photo.width), min(top + scale * height, photo.height))
        part = np.asarray(photo.resize((width, height), Image.Resampling.BILINEAR, box=box)) / 255
        return part[:, ::-1] if random.random() < 0.5 else part


def photographs_of(scene: SceneOptions) -> Photographs | None:
    """Those that a scene names, if it does."""
    return _below(scene.photographs) if scene.photographs else None


def scene_recipe(scene: SceneOptions) -> dict[str, Any]:
    """The options of a scene as they decide pictures; without photographs, those are not among them."""
    values: Mapping[str, Any] = attrs.asdict(scene)
    if (photographs := photographs_of(scene)) is not None:
        return {**values, "photographs": photographs.digest}
    return {name: value for name, value in values.items() if name not in _OPTIONS}


_below = functools.cache(Photographs.below)


def _pictures(folder: str) -> list[Path]:
    if not Path(folder).is_dir():
        raise PhotoError(f"photographs: {folder}: no such folder; give folders with JPEG or PNG files")
    files = [path for path in Path(folder).rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file()]
    if not files:
        raise PhotoError(f"photographs: {folder}: there is no JPEG or PNG file in it or below it; add some")
    return sorted(files)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
