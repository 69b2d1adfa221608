"""Plugins: who offers what, found without importing it, and imported when it is first asked for.

A plugin is a distribution with an entry point in the group ``partgraph``; the entry point's module holds the hook
functions of `partgraph.hookspecs`, which yield `Component` values. A component's target is a string, so that
listing a plugin never imports the heavy code behind it.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, final

import pluggy

from partgraph import builtin
from partgraph.components import KINDS, Component, Entry, resolve
from partgraph.discovery import describe, installed_plugins
from partgraph.errors import (
    AmbiguousComponentError,
    InvalidComponentError,
    PluginLoadWarning,
    UnknownComponentError,
)
from partgraph.hookspecs import PROJECT, PartGraphSpecs, hookimpl

if TYPE_CHECKING:
    from partgraph.problem import Problem

__all__ = [
    "Component",
    "Entry",
    "Plugins",
    "default_solver",
    "get",
    "hookimpl",
    "installed",
    "shared",
]

BUILTIN = "builtin"
"""Name of the plugin that is the core itself."""


@final
class Plugins:
    """The plugins of one process: discovered when first asked, and looked up by kind and name.

    Parameters
    ----------
    discover : bool
        Whether to load the plugins installed in this environment. Tests use False.
    block : iterable of str
        Names of plugins that are not loaded.
    """

    def __init__(self, *, discover: bool = True, block: Iterable[str] = ()) -> None:
        self._manager: Final = _manager()
        self._distributions: Final[dict[str, str]] = {}
        self._failures: Final[dict[str, str]] = {}
        self._blocked: Final[set[str]] = set()
        self._pending = discover
        self.register(builtin, BUILTIN, describe("partgraph"))
        for name in block:
            self.block(name)

    # -- what is loaded ------------------------------------------------------------------------------------------

    def register(self, plugin: object, name: str, distribution: str = "") -> None:
        """Add a plugin by hand: a module or object with hook implementations.

        Raises
        ------
        pluggy.PluginValidationError
            If a hook is misspelt or has unknown arguments; the plugin is then not added.
        """
        trial = _manager()  # a failure half-way would leave some of the plugin's hooks behind
        trial.register(plugin, name)
        trial.check_pending()
        self._manager.register(plugin, name)
        self._distributions[name] = distribution

    def block(self, name: str) -> None:
        """Do without the plugin `name`: it is not loaded, or removed if it already is."""
        if name == BUILTIN:
            raise ValueError("the built-in components cannot be blocked; the framework needs them")
        self._blocked.add(name)
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)

    def discover(self) -> None:
        """Load every installed plugin that is not blocked. What fails is kept and warned of; the rest loads."""
        self._pending = False
        warned: list[tuple[str, str, str]] = []
        for found in installed_plugins(self._blocked):
            name, distribution = found.name, found.distribution
            if found.blocked:
                self._blocked.add(name)
            elif name in self._distributions:
                other = self._distributions[name]
                warned.append((name, distribution, f"has the name of another plugin ({other})"))
            else:
                self._distributions[name] = distribution
                try:
                    self.register(found.load(), name, distribution)
                except Exception as error:  # whatever a plugin does wrong must not break its host
                    self._failures[name] = f"{type(error).__name__}: {error}"
                    warned.append((name, distribution, f"failed to import: {self._failures[name]}"))
        for each in warned:  # at the end, since a warning may be an error
            _warn(*each)

    @property
    def failures(self) -> Mapping[str, str]:
        """Plugins that failed, and why."""
        self._ensure_discovered()
        return MappingProxyType(self._failures)

    def distribution(self, plugin: str) -> str:
        """Return name and version of the distribution of a loaded or failed plugin; empty where unknown."""
        return self._distributions.get(plugin, "")

    @property
    def blocked(self) -> tuple[str, ...]:
        """Plugins that are not loaded on request, sorted."""
        self._ensure_discovered()
        return tuple(sorted(self._blocked))

    # -- what is offered -----------------------------------------------------------------------------------------

    def list(self, kind: str | None = None) -> tuple[Entry, ...]:
        """Return everything offered (of one kind), in the order of kinds, then by plugin and name."""
        if kind is not None and kind not in KINDS:
            raise UnknownComponentError(
                f"no kind of component is called {kind!r}. Kinds: {', '.join(KINDS)}."
            )
        self._ensure_discovered()
        found: list[Entry] = []
        for each in KINDS if kind is None else (kind,):
            found += sorted(self._offers(each), key=lambda entry: (entry.plugin, entry.component.name))
        return tuple(found)

    def find(self, kind: str, name: str) -> Entry:
        """Return the entry called `name`, ``"admm"`` or ``"solvers:admm"``, without importing its target."""
        entries = self.list(kind)
        found = [entry for entry in entries if name in (entry.name, entry.component.name)]
        if not found:
            raise UnknownComponentError(self._unknown(kind, name, entries))
        if len({entry.name for entry in found}) < len(found):
            raise AmbiguousComponentError(
                f"{kind} {found[0].name!r} is offered twice by the plugin {found[0].plugin!r}; "
                "its author must give them different names"
            )
        if len(found) > 1:
            who = " and by ".join(
                f"{e.plugin} ({e.distribution})" if e.distribution else e.plugin for e in found
            )
            ask = " or ".join(repr(entry.name) for entry in found)
            raise AmbiguousComponentError(f"{kind} {name!r} is offered by {who}. Ask for {ask}.")
        return found[0]

    def get(self, kind: str, name: str) -> Any:
        """Import, check and return a component.

        Parameters
        ----------
        kind : str
            A key of `partgraph.components.KINDS`.
        name : str
            ``"admm"``, or ``"solvers:admm"`` where several plugins offer an ``admm``.

        Returns
        -------
        object
            See `partgraph.components.resolve`.

        Raises
        ------
        UnknownComponentError, AmbiguousComponentError
            If nothing, or more than one thing, is called that.
        InvalidComponentError
            If a package is missing, the import fails, or the target is not what its kind asks for.
        """
        entry = self.find(kind, name)
        if entry.missing:
            raise InvalidComponentError(
                f"{kind} {entry.name!r} needs {', '.join(entry.missing)}, which is not installed. Install it first."
            )
        return resolve(kind, entry.name, entry.component)

    def default_solver(self, problem: Problem) -> str:
        """Return the name of the solver for `problem`: the first answer of the plugins, the core's own last."""
        names = tuple(entry.name for entry in self.list("solver") if not entry.missing)
        return self._manager.hook.partgraph_default_solver(problem=problem, installed=names)

    def _offers(self, kind: str) -> Iterator[Entry]:
        # pluggy's own call does not say who returned what, so its implementations are called one by one.
        for implementation in getattr(self._manager.hook, KINDS[kind].hook).get_hookimpls():
            plugin = implementation.plugin_name
            distribution = self._distributions[plugin]
            try:
                components = tuple(implementation.function())
            except Exception as error:  # as in discover: the rest stays whole
                if plugin not in self._failures:
                    _warn(plugin, distribution, f"failed to list its {kind} components: {error}")
                self._failures[plugin] = f"{type(error).__name__}: {error}"
                continue
            yield from (Entry(kind, plugin, distribution, component) for component in components)

    def _ensure_discovered(self) -> None:
        if self._pending:
            self.discover()

    def _unknown(self, kind: str, name: str, entries: Iterable[Entry]) -> str:
        message = f"no {kind} named {name!r}. Installed: {', '.join(e.name for e in entries) or 'none'}."
        if self._failures:
            failed = ", ".join(f"plugin {plugin!r} ({why})" for plugin, why in sorted(self._failures.items()))
            message += f" Not loaded: {failed}."
        if self._blocked:
            message += f" Blocked: {', '.join(sorted(self._blocked))}."
        return message


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(PartGraphSpecs)
    return manager


def _warn(plugin: str, distribution: str, what: str) -> None:
    warnings.warn(
        f"plugin {plugin!r} ({distribution}) {what}; its components are unavailable",
        PluginLoadWarning,
        stacklevel=4,
    )


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
