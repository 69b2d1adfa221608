"""Which plugins are installed in this environment: entry points of the group ``partgraph``, not yet imported."""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, final

import attrs

from partgraph.hookspecs import PROJECT

ALLOW_LIST = "PARTGRAPH_PLUGINS"
"""Environment variable: the only plugins to load, separated by commas; empty for built-ins only."""

BLOCK_LIST = "PARTGRAPH_BLOCK"
"""Environment variable: plugins not to load, separated by commas."""


@final
@attrs.frozen
class Selection:
    """Which plugins may be loaded: each is named by itself or by its distribution.

    Attributes
    ----------
    only : frozenset of str, or None
        The only ones; None for all.
    block : frozenset of str
        Those that are not, whatever `only` says.
    """

    only: frozenset[str] | None = None
    block: frozenset[str] = frozenset()

    @classmethod
    def from_environment(cls, block: Iterable[str] = ()) -> Self:
        """Return what the environment variables say, and `block` besides."""
        only, blocked = os.environ.get(ALLOW_LIST), os.environ.get(BLOCK_LIST, "")
        return cls(None if only is None else _split(only), _split(blocked).union(block))

    def refuses(self, *names: str) -> bool:
        """Return whether a plugin with these names is not to be loaded."""
        return not self.block.isdisjoint(names) or (self.only is not None and self.only.isdisjoint(names))

    @property
    def names(self) -> frozenset[str]:
        """All names that are mentioned."""
        return self.block.union(self.only or ())


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
    refusal : str
        Why it is not to be loaded: ``"blocked"``, ``"shadowed by lab-solvers 2.3"`` where that one has the name
        already, or which version of the framework it needs. Empty where it may be.
    """

    name: str
    distribution: str
    refusal: str
    _entry_point: importlib.metadata.EntryPoint

    @property
    def blocked(self) -> bool:
        """Whether the user does without it."""
        return self.refusal == "blocked"

    def load(self) -> Any:
        """Import the module with its hook functions, with whatever errors that raises."""
        return self._entry_point.load()


def installed_plugins(
    selection: Selection, taken: Mapping[str, str] | None = None
) -> Iterator[InstalledPlugin]:
    """Yield the installed plugins, sorted by name and distribution. Nothing of theirs is imported.

    Of several with one name the first that is not blocked has it, so that the order of installation never matters.

    Parameters
    ----------
    selection : Selection
        Which ones may be loaded.
    taken : mapping, optional
        Names that other plugins have already, and these plugins' distributions.
    """
    owners = dict(taken or {})
    for point, name, version, requires in sorted(
        map(_described, importlib.metadata.entry_points(group=PROJECT)), key=_by_name
    ):
        distribution = f"{name} {version}".strip()
        if selection.refuses(point.name, name):
            refusal = "blocked"
        elif not re.fullmatch(r"[\w.-]+", point.name):
            refusal = (
                "failed: a plugin's name is letters, digits, '.', '_' and '-'; its author must change it"
            )
        elif point.name in owners:
            refusal = f"shadowed by {owners[point.name] or 'another plugin'}"
        else:
            owners[point.name] = distribution
            refusal = _unmet(requires)
        yield InstalledPlugin(point.name, distribution, refusal, point)


def describe(distribution: str) -> str:
    """Return name and version of a distribution, or its name alone in a checkout that was never installed."""
    return f"{distribution} {version_of(distribution)}".strip()


def version_of(distribution: str) -> str:
    """Return the version of a distribution; empty in a checkout that was never installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


_Described = tuple[importlib.metadata.EntryPoint, str, str, list[str]]


def _described(point: importlib.metadata.EntryPoint) -> _Described:
    """Return an entry point with its distribution's name, version and requirements, whose file is read once."""
    metadata = point.dist.metadata if point.dist else None
    if metadata is None:
        return point, "", "", []
    return point, metadata["Name"] or "", metadata["Version"] or "", metadata.get_all("Requires-Dist") or []


def _by_name(described: _Described) -> tuple[str, str]:
    point, name, _, _ = described
    return point.name, name


def _unmet(requires: Iterable[str]) -> str:
    """Return what a plugin asks of the framework's version, if the one installed is another; otherwise nothing."""
    from packaging.requirements import InvalidRequirement, Requirement

    here = version_of(PROJECT)
    for text in requires:
        try:
            asked = Requirement(text)
        except InvalidRequirement:  # no concern of ours
            continue
        applies = asked.marker is None or asked.marker.evaluate({"extra": ""})
        if asked.name.lower() == PROJECT and applies and here and not asked.specifier.contains(here, True):
            return f"needs {PROJECT}{asked.specifier}, but {here} is installed; upgrade one of the two"
    return ""


def _split(names: str) -> frozenset[str]:
    return frozenset(name.strip() for name in names.split(",") if name.strip())
