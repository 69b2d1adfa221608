"""Structures of MATLAB files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from partgraph_humanpose.datasets.errors import DataError


def read_mat(path: Path, name: str) -> Any:
    """The variable `name` of a ``.mat`` file; structures have attributes, axes of length one are left out.

    Raises
    ------
    DataError
        When the file cannot be read or lacks the variable.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        variables = loadmat(path, squeeze_me=True, struct_as_record=False, variable_names=[name])
    except FileNotFoundError:
        raise DataError(path, "a MATLAB file", "no such file", "copy it there") from None
    except NotImplementedError:
        found, do = "one of version 7.3, which is HDF5", "save it in MATLAB with -v7"
        raise DataError(path, "a MATLAB file of version 4 to 7.2", found, do) from None
    except (OSError, ValueError, TypeError, MatReadError) as error:
        raise DataError(
            path, "a MATLAB file", str(error) or type(error).__name__, "copy the file anew"
        ) from None
    if name not in variables:
        raise DataError(path, f"the variable {name}", "none of that name", "check which file this is")
    return variables[name]


def field(structure: Any, name: str, where: object) -> Any:
    """A field of a structure that must have it."""
    if not hasattr(structure, name):
        found = ", ".join(getattr(structure, "_fieldnames", ())) or "no structure"
        raise DataError(where, f"a field {name}", found, "check which file this is")
    return getattr(structure, name)
