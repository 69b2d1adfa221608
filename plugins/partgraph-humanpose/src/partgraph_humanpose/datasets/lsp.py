"""The data set `lsp`: Leeds Sports Pose and its extension, 2D joints in photographs (Johnson and Everingham, 2010)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal, final

import attrs
import numpy as np
from attrs.validators import gt, in_, optional
from numpy.typing import NDArray

from partgraph.errors import PartGraphError
from partgraph.learning.dataset import Inventory
from partgraph_humanpose.datasets.crops import square
from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.listed import FROM_ONE, Listed, listed_store, missing_pictures
from partgraph_humanpose.datasets.matlab import read_mat
from partgraph_humanpose.datasets.people import People
from partgraph_humanpose.datasets.store import CropStore, inspect_prepared
from partgraph_humanpose.skeleton import PARTS

NAME = "lsp"
_VERSION = 1
_FILE = "joints.mat"
_MPII = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 8, 9)
"""MPII's number of each of the fourteen joints: legs from the right ankle, arms from the right wrist, neck, head."""

_TRAIN = 1000  # of LSP: the first thousand train, the others test; the extension is for training only


@final
@attrs.frozen(eq=False)
class Lsp(People):
    """People doing sports; fourteen joints, without pelvis and thorax, and no depths.

    Attributes
    ----------
    folder : of LSP or of its extension, with ``joints.mat`` and ``images``
    split : "train" or "test"; the extension has no test pictures
    count : use so many in even steps; all when None
    size : side of the crops, px
    margin : side of a crop relative to the longer side of the joints' box
    cache : where crops are kept; the user's cache folder by default
    """

    folder: Path
    split: Literal["train", "test"] = attrs.field(default="train", validator=in_(("train", "test")))
    count: int | None = attrs.field(default=None, validator=optional(gt(0)))  # type: ignore[assignment]
    size: int = attrs.field(default=320, validator=gt(15))
    margin: float = attrs.field(default=1.25, validator=gt(0))
    cache: Path | None = None

    @classmethod
    def inspect(cls, folder: Path) -> Inventory | None:
        if prepared := inspect_prepared(NAME, folder):
            return prepared
        if not (folder / _FILE).is_file():
            return None
        contents: dict[str, object] = {"folder": str(folder)}
        try:
            people, extended = _read(folder, 1.0)
        except PartGraphError as error:
            return Inventory("Leeds Sports Pose", contents, (str(error),))
        contents["people"] = len(people)
        contents["joints"] = int(np.isfinite(people.pixels).all(2).sum())
        contents["visible joints"] = int(people.visible.sum())
        title = "Leeds Sports Pose" + (", extended" if extended else "") + ", 2D joints without depth"
        return Inventory(title, contents, missing_pictures(people, folder / "images"))

    @property
    def groups(self) -> tuple[str, ...]:
        return (NAME,)

    def group(self, index: int) -> str:
        return NAME

    @functools.cached_property
    def store(self) -> CropStore:
        path = self.folder / _FILE
        if not path.is_file():
            raise DataError(self.folder, f"LSP's {_FILE}", "none", "give the folder that holds it and images")
        return listed_store(
            NAME,
            self.split,
            self._read_split,
            path,
            version=_VERSION,
            images=self.folder / "images",
            margin=self.margin,
            size=self.size,
            count=self.count,
            cache=self.cache,
        )

    def _read_split(self) -> Listed:
        people, extended = _read(self.folder, self.margin)
        if extended and self.split == "test":
            do = "choose split = 'train', or the folder of LSP itself"
            raise DataError(self.folder, "test pictures", "the extension of LSP, which has none", do)
        chosen = slice(None) if extended else slice(_TRAIN) if self.split == "train" else slice(_TRAIN, None)
        return Listed(*(getattr(people, field.name)[chosen] for field in attrs.fields(Listed)))


def _read(folder: Path, margin: float) -> tuple[Listed, bool]:
    """All people, and whether they are those of the extension.

    The array ``joints`` is (3, 14, n) in LSP, where the third number is one for a *hidden* joint, and (14, 3, n) in the
    extension, where it is one for a *visible* joint and joints without it are not to be used.
    """
    path = folder / _FILE
    joints = np.asarray(read_mat(path, "joints"), np.float64)
    if joints.ndim == 2:
        joints = joints[..., None]  # a single person
    if joints.shape[:2] == (3, len(_MPII)):
        extended, numbers = False, joints.transpose(2, 1, 0)
        known, visible = np.ones(numbers.shape[:2], bool), numbers[..., 2] == 0
    elif joints.shape[:2] == (len(_MPII), 3):
        extended, numbers = True, joints.transpose(2, 0, 1)
        known = visible = numbers[..., 2] == 1
    else:
        asked = "joints of shape (3, 14, n), LSP, or (14, 3, n), its extension"
        raise DataError(path, asked, f"{joints.shape}", "copy the file anew")
    pixels, seen = np.full((len(numbers), len(PARTS), 2), np.nan), np.zeros((len(numbers), len(PARTS)), bool)
    pixels[:, _MPII] = np.where(known[..., None], numbers[..., :2] - FROM_ONE, np.nan)
    seen[:, _MPII] = visible
    return Listed(_names(folder, len(numbers)), pixels, seen, _boxes(pixels, margin)), extended


def _names(folder: Path, count: int) -> NDArray[np.str_]:
    """``im0001.jpg`` or, in the extension, ``im00001.jpg``: whichever is there."""
    digits = 4 if (folder / "images" / "im0001.jpg").is_file() else 5
    return np.array([f"im{number:0{digits}d}.jpg" for number in range(1, count + 1)], str)


def _boxes(pixels: NDArray[np.float64], margin: float) -> NDArray[np.float64]:
    """(n, 3): centre and side of the square around the known joints, NaN for people without any."""
    boxes = np.full((len(pixels), 3), np.nan)
    for box, own in zip(boxes, pixels, strict=True):
        if np.isfinite(own).any():
            around = square(own, margin)
            box[:] = around.left + around.width / 2, around.top + around.height / 2, around.width
    return boxes
