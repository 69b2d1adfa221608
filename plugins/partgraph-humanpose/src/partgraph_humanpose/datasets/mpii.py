"""The data set `mpii`: people in photographs with 2D joints (Andriluka et al., 2014), for training beside 3D data."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Literal, final

import attrs
import numpy as np
from attrs.validators import gt, in_, optional

from partgraph.errors import PartGraphError
from partgraph.learning.dataset import Inventory
from partgraph_humanpose.datasets import mpii_files
from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.listed import Listed, listed_store, missing_pictures
from partgraph_humanpose.datasets.people import People
from partgraph_humanpose.datasets.store import CropStore, inspect_prepared

NAME = "mpii"
_VERSION = 1
_RELEASE = "mpii_human_pose_v1_u12_1.mat"
_STEMS = {"train": "train", "validation": "valid"}


@final
@attrs.frozen(eq=False)
class Mpii(People):
    """People in everyday pictures; places in the image are known, depths are not.

    Attributes
    ----------
    folder : holds ``images`` and ``annot/train.json``, ``annot/train.h5`` or the official ``.mat`` file
    split : "train" or "validation"; the official file knows only the first, which then is all annotated people
    count : use so many in even steps; all when None
    size : side of the crops, px
    margin : side of a crop relative to the person's height
    cache : where crops are kept; the user's cache folder by default
    """

    folder: Path
    split: Literal["train", "validation"] = attrs.field(default="train", validator=in_(tuple(_STEMS)))
    count: int | None = attrs.field(default=None, validator=optional(gt(0)))  # type: ignore[assignment]
    size: int = attrs.field(default=320, validator=gt(15))
    margin: float = attrs.field(default=1.25, validator=gt(0))
    cache: Path | None = None

    @classmethod
    def inspect(cls, folder: Path) -> Inventory | None:
        if prepared := inspect_prepared(NAME, folder):
            return prepared
        found = {split: _annotation(folder, split) for split in _STEMS}
        if not any(found.values()):
            return None
        contents: dict[str, object] = {"folder": str(folder)}
        problems: list[str] = []
        for split, annotation in found.items():
            if annotation is None:
                problems.append(f"no annotation for {split}")
                continue
            path, read = annotation
            try:
                people = read(path, 1.0).annotated()
            except PartGraphError as error:
                problems.append(str(error))
                continue
            joints = int(np.isfinite(people.pixels).all(2).sum())
            pictures = len(np.unique(people.names))
            contents[split] = f"{path.name}: {len(people)} people in {pictures} pictures, {joints} joints"
            problems += missing_pictures(people, folder / "images")
        return Inventory("MPII Human Pose, 2D joints without depth", contents, tuple(problems))

    @property
    def groups(self) -> tuple[str, ...]:
        return (NAME,)

    def group(self, index: int) -> str:
        return NAME

    @functools.cached_property
    def store(self) -> CropStore:
        annotation = _annotation(self.folder, self.split)
        if annotation is None:
            stem = _STEMS[self.split]
            asked = f"annot/{stem}.json or annot/{stem}.h5" + (f" or {_RELEASE}" if stem == "train" else "")
            raise DataError(
                self.folder, f"MPII's {self.split} annotation, {asked}", "none", "copy one of them there"
            )
        path, read = annotation
        return listed_store(
            NAME,
            self.split,
            lambda: read(path, self.margin),
            path,
            version=_VERSION,
            images=self.folder / "images",
            margin=self.margin,
            size=self.size,
            count=self.count,
            cache=self.cache,
        )


def _annotation(folder: Path, split: str) -> tuple[Path, Callable[[Path, float], Listed]] | None:
    """The file that has a split's annotation, and what reads it; None when there is none."""
    stem = _STEMS[split]
    json, hdf5 = folder / "annot" / f"{stem}.json", folder / "annot" / f"{stem}.h5"
    if json.is_file():
        return json, mpii_files.read_json
    if hdf5.is_file() and not _is_human36m(hdf5):
        return hdf5, mpii_files.read_hdf5
    release = [] if split != "train" else [*folder.glob(_RELEASE), *folder.glob(f"*/{_RELEASE}")]
    return (release[0], mpii_files.read_release) if release else None


def _is_human36m(hdf5: Path) -> bool:
    """Whether the file is one of Pavlakos et al., who took over the form for Human3.6M."""
    names = hdf5.with_name(f"{hdf5.stem}_images.txt")
    return names.is_file() and names.read_text(encoding="utf-8", errors="replace").startswith("S")
