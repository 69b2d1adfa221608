"""What can be wrong with data on disk, in one line that says what to do, and optional packages."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import NoReturn

from partgraph.errors import MissingPackageError, PartGraphError


class DataError(PartGraphError, ValueError):
    """Data that cannot be used; one line says where, what was asked, what was found and what to do."""

    def __init__(self, where: object, asked: str, found: str, do: str) -> None:
        super().__init__(where, asked, found, do)

    def __str__(self) -> str:
        where, asked, found, do = self.args
        return f"{where}: {asked}; found {found}; {do}"


def refuse_pickle(where: object, convert: str) -> NoReturn:
    """Raise the error for a file that holds pickles, which can run any code when they are read."""
    raise DataError(
        where,
        "files are read without unpickling, which could run code hidden in them",
        "a pickle",
        f"where you trust the file, convert it once with: {convert}",
    )


def optional(name: str, what: str) -> ModuleType:
    """The optional package `name`, which reads `what`.

    Raises
    ------
    MissingPackageError
        When it is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingPackageError(
            f"{what} need the package {name.partition('.')[0]}, which cannot be imported ({error}); "
            f"install it with: pip install 'partgraph-humanpose[datasets]'"
        ) from error
