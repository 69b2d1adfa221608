"""Which plugins are installed in this environment: entry points of the group ``partgraph``, not yet imported."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Collection, Iterator
from typing import Any, final

import attrs

from partgraph.hookspecs import PROJECT

ALLOW_LIST = "PARTGRAPH_PLUGINS"
"""Environment variable: names of the only plugins to load, separated by commas; empty for built-ins only."""


@final
@attrs.frozen
class InstalledPlugin:
    """A plugin that is installed.

    Attributes
    ----------
    name : str
        Name of its entry point.
    distribution : str
        Name and version of its distribution, ``"partgraph-solvers 0.1.0"``.
    blocked : bool
        Whether it is not to be loaded.
    """

    name: str
    distribution: str
    blocked: bool
    _entry_point: importlib.metadata.EntryPoint

    def load(self) -> Any:
        """Import the module with its hook functions, with whatever errors that raises."""
        return self._entry_point.load()


def installed_plugins(blocked: Collection[str] = ()) -> Iterator[InstalledPlugin]:
    """Yield the installed plugins, sorted by name; blocked are those named and those the allow-list leaves out."""
    allowed = _allow_list()
    for point in sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda point: point.name):
        excluded = point.name in blocked or (allowed is not None and point.name not in allowed)
        yield InstalledPlugin(point.name, describe(point.dist.name) if point.dist else "", excluded, point)


def describe(distribution: str) -> str:
    """Return name and version of a distribution, or its name alone in a checkout that was never installed."""
    try:
        return f"{distribution} {importlib.metadata.version(distribution)}"
    except importlib.metadata.PackageNotFoundError:
        return distribution


def _allow_list() -> frozenset[str] | None:
    """Return the names in the environment's allow-list; None where there is no such list."""
    value = os.environ.get(ALLOW_LIST)
    return None if value is None else frozenset(name.strip() for name in value.split(","))
