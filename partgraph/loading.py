"""From installed plugins to loaded ones: each is imported when it is needed, and none can break the others."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Final, final

import attrs

from partgraph.discovery import InstalledPlugin, Selection, describe, installed_plugins
from partgraph.errors import PluginLoadWarning
from partgraph.hooks import validate
from partgraph.hookspecs import PROJECT

BUILTIN = "builtin"
"""Name of the plugin that is the core itself."""


@final
@attrs.frozen
class State:
    """A plugin, and whether its components can be had.

    Attributes
    ----------
    plugin, distribution : str
        As of `partgraph.components.Entry`.
    status : str
        ``loaded``, ``blocked``, ``shadowed by ...``, ``needs partgraph...``, ``failed: ...``, or ``not installed``
        for one that was asked for or blocked by a name that nothing has.
    """

    plugin: str
    distribution: str
    status: str


@final
class Loader:
    """The plugins of a registry: found, refused, loaded or failed.

    Parameters
    ----------
    discover : bool
        Whether to look for the plugins installed in this environment.
    block : iterable of str
        Names of plugins, or of their distributions, that are not loaded.

    Attributes
    ----------
    modules : dict
        The objects with hook functions, by the names of the plugins that are loaded.
    distributions : dict
        Name and version of the distributions of plugins that were loaded, or failed.
    failures : dict
        Why plugins failed.
    """

    def __init__(self, *, discover: bool, block: Iterable[str]) -> None:
        self.modules: Final[dict[str, object]] = {}
        self.distributions: Final[dict[str, str]] = {}
        self.failures: Final[dict[str, str]] = {}
        self._found: Final[dict[str, InstalledPlugin]] = {}
        self._refused: Final[list[InstalledPlugin]] = []
        self._discover: Final = discover
        self._discovered = not discover
        self._blocked: Final[set[str]] = set()
        for name in block:
            self.block(name)

    def register(self, plugin: object, name: str, distribution: str) -> None:
        """Add a plugin by hand; see `partgraph.plugins.Plugins.register`."""
        validate(plugin)
        if name in self.modules:
            raise ValueError(f"a plugin is called {name!r} already; choose another name")
        for other, module in self.modules.items():
            if module is plugin:
                raise ValueError(f"the plugin {other!r} is the same module; it can have one name only")
        self.modules[name] = plugin
        self.distributions[name] = distribution

    def block(self, name: str) -> None:
        """Do without a plugin, by its name or its distribution's."""
        if name in (BUILTIN, PROJECT):
            raise ValueError("the built-in components cannot be blocked; the framework needs them")
        self._blocked.add(name)
        for found in tuple(self._found.values()):
            if name in (found.name, _project(found.distribution)):
                self._refused.append(attrs.evolve(self._found.pop(found.name), refusal="blocked"))
        for plugin in tuple(self.modules):
            if name in (plugin, _project(self.distributions[plugin])):
                del self.modules[plugin]

    def discover(self) -> None:
        """Find every installed plugin; none is imported. What is shadowed, or of another version, is warned of."""
        if self._discovered:
            return
        self._discovered = True
        for found in installed_plugins(Selection.from_environment(self._blocked), self.distributions):
            if found.refusal:
                self._refused.append(found)
            else:
                self._found[found.name] = found
        for found in self._refused:  # at the end, since a warning may be an error
            if not found.blocked:
                _warn(found.name, found.distribution, f"is not loaded: {found.refusal}")

    def load_all(self) -> None:
        """Import every plugin that was found."""
        self.discover()
        failed = [plugin for plugin in tuple(self._found) if not self._import(plugin)]
        for plugin in failed:  # at the end, since a warning may be an error
            self._warn_of_import(plugin)

    def load(self, plugin: str) -> None:
        """Import one plugin, if there is one of this name."""
        self.discover()
        if not self._import(plugin):
            self._warn_of_import(plugin)

    def fail(self, plugin: str, what: str, error: Exception) -> None:
        """Say that a plugin that is loaded went wrong; it is warned of once."""
        if plugin not in self.failures:
            self.failures[plugin] = _why(error)
            _warn(plugin, self.distributions[plugin], f"{what}: {error}")

    @property
    def blocked(self) -> tuple[str, ...]:
        """What is not loaded on request, sorted."""
        self.discover()
        return tuple(sorted(self._blocked | {found.name for found in self._refused if found.blocked}))

    @property
    def absent(self) -> dict[str, str]:
        """Plugins that are not loaded though nobody blocked them, and why."""
        return self.failures | {found.name: found.refusal for found in self._refused if not found.blocked}

    def states(self) -> tuple[State, ...]:
        """Return every plugin there is, by name."""
        self.load_all()
        found = [
            *(
                State(name, distribution, self._status(name))
                for name, distribution in self.distributions.items()
            ),
            *(State(other.name, other.distribution, other.refusal) for other in self._refused),
        ]
        known = {name for own in found for name in (own.plugin, _project(own.distribution))}
        asked = Selection.from_environment(self._blocked).names if self._discover else self._blocked
        found += [State(name, "", "not installed") for name in asked - known]
        return tuple(sorted(found, key=lambda own: (own.plugin, own.distribution)))

    def _status(self, plugin: str) -> str:
        if plugin in self.failures:
            return f"failed: {self.failures[plugin]}"
        return "loaded" if plugin in self.modules else "blocked"

    def _import(self, plugin: str) -> bool:
        """Import a plugin, unless it is already; return whether nothing went wrong."""
        found = self._found.pop(plugin, None)
        if found is None:
            return True
        self.distributions[plugin] = found.distribution
        try:
            self.register(found.load(), plugin, found.distribution)
        except (Exception, SystemExit) as error:  # whatever a plugin does wrong must not break its host
            self.failures[plugin] = _why(error)
            return False
        return True

    def _warn_of_import(self, plugin: str) -> None:
        _warn(plugin, self.distributions[plugin], f"failed to import: {self.failures[plugin]}")


def _project(distribution: str) -> str:
    """Return the name of a distribution without its version."""
    return distribution.partition(" ")[0]


def _why(error: BaseException) -> str:
    """Return what went wrong in a plugin, and what to do where that can be told."""
    text = f"{type(error).__name__}: {error}"
    package = (getattr(error, "name", None) or "").partition(".")[0]
    if isinstance(error, ImportError) and package == PROJECT:
        return f"{text}; the plugin was written for another version than {describe(PROJECT)}: upgrade one of the two"
    if isinstance(error, ModuleNotFoundError) and package:
        return f"{text}; install what provides it, as in: pip install {package}"
    return text


def _warn(plugin: str, distribution: str, what: str) -> None:
    warnings.warn(
        f"plugin {plugin!r} ({distribution}) {what}; its components are unavailable",
        PluginLoadWarning,
        stacklevel=5,
    )
