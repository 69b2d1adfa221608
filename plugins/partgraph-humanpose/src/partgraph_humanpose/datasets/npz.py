"""Arrays of ``.npz`` files, never unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.datasets.errors import DataError, refuse_pickle


def read_npz(path: Path, names: Sequence[str] | None, convert: str) -> dict[str, NDArray]:
    """The arrays of an ``.npz`` file.

    Parameters
    ----------
    names : those that must be there; all that there are when None
    convert : a command that turns the file into one without pickles, for the message

    Raises
    ------
    DataError
        When the file cannot be read, an array is missing, or one would have to be unpickled.
    """
    try:
        with (
            path.open("rb") as opened,
            zipfile.ZipFile(opened),
        ):  # numpy takes what is no archive for a pickle
            opened.seek(0)
            arrays = np.load(opened, allow_pickle=False)
            missing = [name for name in names or () if name not in arrays]
            if missing:
                asked = f"the arrays {', '.join(names or ())}"
                raise DataError(path, asked, f"none named {', '.join(missing)}", "copy the file anew")
            return {name: arrays[name] for name in (names or arrays.files)}
    except FileNotFoundError:
        raise DataError(path, "an .npz file", "no such file", "copy it there") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, ValueError) and "allow_pickle" in str(error):
            refuse_pickle(path, convert)
        if isinstance(error, DataError):
            raise
        raise DataError(
            path, "an .npz file", str(error) or type(error).__name__, "copy the file anew"
        ) from None
