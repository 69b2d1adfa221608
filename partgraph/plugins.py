"""Plugins: who offers what, found without importing it, and imported when it is first asked for.

A plugin is a distribution with an entry point in the group ``partgraph``; the entry point's module holds the hook
functions of `partgraph.hookspecs`, which yield `Component` values. A component's target is a string, so that
listing a plugin never imports the heavy code behind it.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import warnings
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, final

import attrs
import pluggy

from partgraph.components import KINDS, Component, InvalidComponentError, resolve
from partgraph.hookspecs import PROJECT, PartGraphSpecs, hookimpl

if TYPE_CHECKING:
    from partgraph.problem import Problem

__all__ = [
    "AmbiguousComponentError",
    "Component",
    "Entry",
    "InvalidComponentError",
    "PluginLoadWarning",
    "Plugins",
    "UnknownComponentError",
    "default_solver",
    "get",
    "hookimpl",
    "installed",
    "shared",
]

ALLOW_LIST = "PARTGRAPH_PLUGINS"
"""Environment variable: names of the only plugins to load, separated by commas; empty for built-ins only."""


class UnknownComponentError(LookupError):
    """No plugin offers a component of that kind and name."""


class AmbiguousComponentError(LookupError):
    """Several plugins offer a component of that kind and name."""


class PluginLoadWarning(UserWarning):
    """A plugin failed to import; everything else works."""


@final
@attrs.frozen
class Entry:
    """A component, and who offers it.

    Attributes
    ----------
    kind : str
        A key of `partgraph.components.KINDS`.
    plugin : str
        Name of the plugin: the name of its entry point, or ``builtin``.
    distribution : str
        ``"partgraph-solvers 0.1.0"``, or empty for a plugin registered by hand.
    component : Component
        What is offered.
    """

    kind: str
    plugin: str
    distribution: str
    component: Component

    @property
    def name(self) -> str:
        """Qualified name, ``"solvers:admm"``."""
        return f"{self.plugin}:{self.component.name}"

    @property
    def missing(self) -> tuple[str, ...]:
        """Import names the component needs and that are not installed; nothing is imported to find out."""
        return tuple(name for name in self.component.requires if find_spec(name) is None)

    @property
    def status(self) -> str:
        """``ready``, or what is missing: ``needs torch``."""
        return f"needs {', '.join(self.missing)}" if self.missing else "ready"


@final
class Plugins:
    """The plugins of one process: discovered once, when first asked, and looked up by kind and name.

    Parameters
    ----------
    discover : bool
        Whether to load the plugins installed in this environment. Tests use False.
    block : collection of str
        Names of plugins that are not loaded.
    """

    def __init__(self, *, discover: bool = True, block: Iterable[str] = ()) -> None:
        self._manager: Final = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(PartGraphSpecs)
        self._distributions: Final[dict[str, str]] = {}
        self._failures: Final[dict[str, str]] = {}
        self._blocked: Final[set[str]] = set(block)
        self._pending = discover
        from partgraph import builtin

        self.register(builtin, "builtin", f"partgraph {_version()}")

    def register(self, plugin: object, name: str, distribution: str = "") -> None:
        """Add a plugin by hand: a module or object with hook implementations."""
        self._manager.register(plugin, name)
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError:
            self._manager.unregister(plugin)
            raise
        self._distributions[name] = distribution

    def block(self, name: str) -> None:
        """Do not use the plugin `name`: not loaded if discovery is still to come, removed otherwise."""
        self._blocked.add(name)
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)

    def discover(self) -> None:
        """Load every installed plugin that is not blocked. A failure is kept and warned of; the rest loads."""
        self._pending = False
        allowed = _allowed()
        for entry_point in sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda ep: ep.name):
            name = entry_point.name
            if allowed is not None and name not in allowed:
                self._blocked.add(name)
            if name in self._blocked or self._manager.has_plugin(name):
                continue
            dist = entry_point.dist
            distribution = f"{dist.name} {dist.version}" if dist else ""
            try:
                self.register(entry_point.load(), name, distribution)
            except Exception as error:  # whatever a plugin does wrong must not break the host
                self._failures[name] = f"{type(error).__name__}: {error}"
                warnings.warn(
                    f"plugin {name!r} ({distribution}) failed to import: {self._failures[name]}; "
                    "its components are unavailable",
                    PluginLoadWarning,
                    stacklevel=2,
                )

    @property
    def failures(self) -> MappingProxyType[str, str]:
        """Plugins that failed to load, and why."""
        self._ensure()
        return MappingProxyType(self._failures)

    @property
    def blocked(self) -> tuple[str, ...]:
        """Plugins that were not loaded on request, sorted."""
        self._ensure()
        return tuple(sorted(self._blocked))

    def list(self, kind: str | None = None) -> tuple[Entry, ...]:
        """Return everything offered (of one kind), sorted by kind, plugin and name."""
        self._ensure()
        kinds = KINDS if kind is None else {kind: _kind(kind)}
        entries = [
            Entry(kind, impl.plugin_name, self._distributions.get(impl.plugin_name, ""), component)
            for kind, spec in kinds.items()
            for impl in getattr(self._manager.hook, spec.hook).get_hookimpls()
            for component in impl.function()
        ]
        order = list(KINDS)
        return tuple(sorted(entries, key=lambda e: (order.index(e.kind), e.plugin, e.component.name)))

    def find(self, kind: str, name: str) -> Entry:
        """Return the one entry called `name`, ``"admm"`` or ``"solvers:admm"``, without importing its target."""
        entries = self.list(kind)
        found = [entry for entry in entries if name in (entry.name, entry.component.name)]
        if not found:
            raise UnknownComponentError(self._unknown(kind, name, entries))
        if len(found) > 1:
            who = " and by ".join(
                f"{e.plugin} ({e.distribution})" if e.distribution else e.plugin for e in found
            )
            ask = " or ".join(repr(e.name) for e in found)
            raise AmbiguousComponentError(f"{kind} {name!r} is offered by {who}. Ask for {ask}.")
        return found[0]

    def get(self, kind: str, name: str) -> Any:
        """Import and check the component called `name`; see `partgraph.components.KINDS` for what is returned."""
        entry = self.find(kind, name)
        if entry.missing:
            raise InvalidComponentError(
                f"{kind} {entry.name!r} needs {', '.join(entry.missing)}, which is not installed; install it first"
            )
        return resolve(kind, entry.name, entry.component)

    def default_solver(self, problem: Problem) -> str:
        """Return the qualified name of the solver the plugins choose for a problem."""
        installed: Sequence[str] = [entry.name for entry in self.list("solver") if not entry.missing]
        return self._manager.hook.partgraph_default_solver(problem=problem, installed=installed)

    def _ensure(self) -> None:
        if self._pending:
            self.discover()

    def _unknown(self, kind: str, name: str, entries: Iterable[Entry]) -> str:
        names = ", ".join(entry.name for entry in entries) or "none"
        message = f"no {kind} named {name!r}. Installed: {names}."
        if self._failures:
            lost = "; ".join(f"plugin {plugin!r} ({why})" for plugin, why in sorted(self._failures.items()))
            message += f" Not loaded: {lost}."
        if self._blocked:
            message += f" Blocked: {', '.join(sorted(self._blocked))}."
        return message


def _allowed() -> frozenset[str] | None:
    """Return the allow-list of the environment, read when plugins are discovered; None: all are allowed."""
    value = os.environ.get(ALLOW_LIST)
    return None if value is None else frozenset(name.strip() for name in value.split(",") if name.strip())


def _kind(kind: str) -> Any:
    if kind not in KINDS:
        raise ValueError(f"no kind of component is called {kind!r}; the kinds are {', '.join(KINDS)}")
    return KINDS[kind]


def _version() -> str:
    try:
        return importlib.metadata.version("partgraph")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout
        return "(not installed)"


@functools.cache
def shared() -> Plugins:
    """Return the plugins of this process, made when first asked for."""
    return Plugins()


def get(kind: str, name: str) -> Any:
    """Import and check a component by kind and name; see `Plugins.get`."""
    return shared().get(kind, name)


def installed(kind: str | None = None) -> tuple[Entry, ...]:
    """Return what is installed (of one kind); see `Plugins.list`."""
    return shared().list(kind)


def default_solver(problem: Problem) -> str:
    """Return the name of the solver for `problem`; see `Plugins.default_solver`."""
    return shared().default_solver(problem)
