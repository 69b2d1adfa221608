"""Arrays of HDF5 files, with their shapes checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.datasets.errors import DataError, optional

Shape = tuple[int | None, ...]


def read_arrays(path: Path, shapes: Mapping[str, Shape]) -> dict[str, NDArray]:
    """The arrays of an HDF5 file by name.

    Parameters
    ----------
    shapes : the shape of each that must be there; None for the length N that they have in common

    Raises
    ------
    DataError
        When the file cannot be read, or an array is missing or of another shape.
    """
    h5py = optional("h5py", "HDF5 files")
    try:
        with h5py.File(path, "r") as file:
            missing = [name for name in shapes if name not in file]
            if missing:
                raise DataError(
                    path,
                    f"the arrays {', '.join(shapes)}",
                    f"none named {', '.join(missing)}",
                    "make the file again with a current version of its tool",
                )
            arrays = {name: np.asarray(file[name]) for name in shapes}
    except FileNotFoundError:
        raise DataError(path, "an HDF5 file", "no such file", "copy it there") from None
    except OSError as error:
        raise DataError(path, "an HDF5 file", str(error), "copy the file anew") from None
    check_shapes(path, arrays, shapes)
    return arrays


def check_shapes(where: object, arrays: Mapping[str, NDArray], shapes: Mapping[str, Shape]) -> None:
    """Raise a `DataError` unless arrays have their shapes, with one common length N for None."""
    count = next((len(arrays[name]) for name, shape in shapes.items() if shape[:1] == (None,)), 0)
    for name, shape in shapes.items():
        expected = tuple(count if size is None else size for size in shape)
        if arrays[name].shape != expected:
            asked = (
                f"{name} must have shape ({', '.join('N' if size is None else str(size) for size in shape)})"
            )
            raise DataError(where, f"{asked} with N = {count}", f"{arrays[name].shape}", "copy the file anew")
