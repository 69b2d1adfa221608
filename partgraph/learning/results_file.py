"""Results on disk: every error of every joint in one compressed array file, so that tables need no second run.

An ``errors.npz`` is read without unpickling and holds

    format              "partgraph-errors-1"
    methods, parts      (M,), (N,) str
    graphs              int                 how many of the methods, the first ones, solved a graph
    aligned, rooted     (n, M, N) float32   mm, see `Results`
    visible             (n, N) bool
    splits              (s,) str            names of the ways in which tables split the images
    values.NAME         (v,) str            of each split, in the order of tables
    of.NAME             (n,) int32          index into them
    clips               str                 name of the split whose images are alike
    seconds, gap        (n, G) float32
    certified           (n, G) bool
    about               str                 JSON: how the results were come by, "pictures" and "published"
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from partgraph.errors import PartGraphError
from partgraph.learning.dataset import Published
from partgraph.learning.results import Results, Split

ERRORS = "errors.npz"
_FORMAT = "partgraph-errors-1"


class ResultsError(PartGraphError, ValueError):
    """A file that holds no results, or results that do not go together; the message says what to do."""


def save_results(results: Results, folder: Path) -> Path:
    """Write ``errors.npz`` into a folder that exists; an older file is replaced once the new one is complete."""
    about = {
        **results.about,
        "pictures": results.pictures,
        "published": [attrs.asdict(own) for own in results.published],
    }
    arrays = {
        "format": np.array(_FORMAT),
        "methods": np.array(results.methods),
        "graphs": np.array(len(results.graphs)),
        "parts": np.array(results.parts),
        "aligned": results.aligned.astype(np.float32),
        "rooted": results.rooted.astype(np.float32),
        "visible": results.visible,
        "splits": np.array(list(results.splits)),
        "clips": np.array(results.clips),
        "seconds": results.seconds.astype(np.float32),
        "certified": results.certified,
        "gap": results.gap.astype(np.float32),
        "about": np.array(json.dumps(about)),
    }
    for name, split in results.splits.items():
        arrays[f"values.{name}"] = np.array(split.values)
        arrays[f"of.{name}"] = split.of.astype(np.int32)
    path = folder / ERRORS
    draft = path.with_name(f".{os.getpid()}.{path.name}")
    np.savez_compressed(draft, allow_pickle=False, **arrays)
    draft.replace(path)
    return path


def load_results(path: Path) -> Results:
    """The results in a file that `save_results` wrote, or in a folder that holds one.

    Raises
    ------
    ResultsError
        When there is none, or it cannot be read.
    """
    path = path / ERRORS if path.is_dir() else path
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = dict(file)
    except FileNotFoundError:
        raise ResultsError(
            f"{path}: no such file; give a folder that `partgraph evaluate --out` wrote"
        ) from None
    except (
        Exception
    ) as error:  # zip, zlib and NumPy raise a dozen types on bytes that are not what they expect
        raise ResultsError(f"{path}: cannot be read as results ({error}); evaluate anew") from None
    if str(arrays.get("format")) != _FORMAT:
        raise ResultsError(f"{path}: format {arrays.get('format')} is not {_FORMAT}; evaluate anew")
    try:
        return _results(arrays)
    except (KeyError, ValueError) as error:
        raise ResultsError(f"{path}: incomplete results ({error}); evaluate anew") from None


def _results(arrays: dict[str, Any]) -> Results:
    methods = _names(arrays["methods"])
    about = json.loads(str(arrays["about"]))
    published = tuple(Published(**own) for own in about.pop("published"))
    return Results(
        methods=methods,
        graphs=methods[: int(arrays["graphs"])],
        parts=_names(arrays["parts"]),
        aligned=arrays["aligned"],
        rooted=arrays["rooted"],
        visible=arrays["visible"],
        splits={
            name: Split(_names(arrays[f"values.{name}"]), arrays[f"of.{name}"].astype(np.intp))
            for name in _names(arrays["splits"])
        },
        clips=str(arrays["clips"]),
        seconds=arrays["seconds"],
        certified=arrays["certified"],
        gap=arrays["gap"],
        pictures=about.pop("pictures"),
        published=published,
        about=about,
    )


def _names(array: np.ndarray) -> tuple[str, ...]:
    return tuple(map(str, array.tolist()))
