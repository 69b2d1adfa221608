"""New plugins: whole distributions made from templates, with tests that pass at once.

A template is a folder of real files, in which three spellings of one name stand for the plugin's. Folders are laid over
each other: what all kinds share, what needs torch, and the kind's own files.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import final

import attrs

from partgraph.discovery import Selection, installed_plugins
from partgraph.errors import PartGraphError
from partgraph.loading import BUILTIN

PREFIX = "partgraph-"
_LONGEST = 24  # characters of a name, for which all lines are short enough


class ScaffoldError(PartGraphError, ValueError):
    """A plugin that cannot be made: of an unknown kind, an illegal or taken name, or in a folder that exists."""


@final
@attrs.frozen
class Template:
    """What a new plugin is made of.

    Attributes
    ----------
    summary : str
        What the component in it does, in a few words.
    layers : tuple of str
        Folders of templates, the later over the earlier.
    """

    summary: str
    layers: tuple[str, ...]


TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {
        "unary": Template("Parts near a plane", ("common", "unary")),
        "pairwise": Template("Parts on a leash", ("common", "pairwise")),
        "graph": Template("A wheel of parts", ("common", "graph")),
        "solver": Template("Coordinate ascent from several starts", ("common", "solver")),
        "model": Template("A small network of voxels", ("common", "learning", "model")),
        "dataset": Template("Kites in the sky", ("common", "learning", "dataset")),
        "loss": Template("Expected distance to the truth", ("common", "learning", "loss")),
    }
)
"""Templates by kind of component."""


def new_plugin(name: str, kind: str, parent: Path) -> Path:
    """Write a distribution ``partgraph-NAME`` with one component of a kind, and return its folder.

    Parameters
    ----------
    name : str
        Lower-case words joined by hyphens, of the plugin and of its component; ``partgraph-`` may stand before it.
    kind : str
        A key of `TEMPLATES`.
    parent : Path
        The folder that the distribution's is made in.

    Raises
    ------
    ScaffoldError
        If there is no such template, the name is illegal or taken, or the folder exists.
    """
    if kind not in TEMPLATES:
        raise ScaffoldError(f"no template for the kind {kind!r}; there are {', '.join(TEMPLATES)}")
    name = name.removeprefix(PREFIX)
    _check(name)
    folder = parent / (PREFIX + name)
    if folder.exists():
        raise ScaffoldError(f"{folder} exists; choose another name or folder")
    spelt = _spellings(name) | {"TEMPLATE-SUMMARY": TEMPLATES[kind].summary}
    try:
        for path, text in _contents(kind).items():
            target = folder / _replaced(path, spelt)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_replaced(text, spelt), encoding="utf-8")
    except OSError as error:
        raise ScaffoldError(f"{folder} cannot be written: {error.strerror}") from None
    return folder


def _check(name: str) -> None:
    """Raise unless a plugin may be called that."""
    legal = re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) and len(name) <= _LONGEST
    if not legal or keyword.iskeyword(name):
        raise ScaffoldError(
            f"a plugin's name is up to {_LONGEST} characters, lower-case words joined by '-', as in 'lab-solvers', "
            f"and no word of Python; found {name!r}"
        )
    taken = {plugin.name: plugin.distribution for plugin in installed_plugins(Selection())} | {
        BUILTIN: "partgraph"
    }
    if name in taken:
        raise ScaffoldError(f"a plugin is called {name!r} already ({taken[name]}); choose another name")


def _spellings(name: str) -> dict[str, str]:
    return {
        "template-name": name,
        "template_name": name.replace("-", "_"),
        "TemplateName": "".join(word.capitalize() for word in name.split("-")),
    }


def _contents(kind: str) -> dict[str, str]:
    """Return the text of every file of a kind's template, by its path."""
    folders = (files(__name__) / "templates" / layer for layer in TEMPLATES[kind].layers)
    return {path: text for folder in folders for path, text in _texts(folder)}


def _texts(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_file():
            yield prefix + entry.name, entry.read_text(encoding="utf-8")
        elif entry.name != "__pycache__":  # which installing leaves
            yield from _texts(entry, f"{prefix}{entry.name}/")


def _replaced(text: str, spelt: Mapping[str, str]) -> str:
    return re.sub("|".join(spelt), lambda found: spelt[found[0]], text)
