"""Plugins: who offers what, found without importing it, and imported when it is first asked for.

A plugin is a distribution with an entry point in the group ``partgraph``; the entry point's module holds the hook
functions of `partgraph.hookspecs`, which yield `Component` values. A component's target is a string, so that
listing a plugin never imports the heavy code behind it. A full name, ``"lab:fast"``, imports the module of that
plugin alone; a short one imports those of all, since any of them may offer it.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar, final

from partgraph import builtin, provenance
from partgraph.components import KINDS, Component, Entry, resolve
from partgraph.discovery import describe
from partgraph.errors import AmbiguousComponentError, InvalidComponentError, UnknownComponentError
from partgraph.hooks import relay
from partgraph.hookspecs import PROJECT, hookimpl
from partgraph.loading import BUILTIN, Loader, State

if TYPE_CHECKING:
    import pluggy

    from partgraph.problem import Problem

__all__ = [
    "Component",
    "Entry",
    "Plugins",
    "State",
    "default_solver",
    "get",
    "hookimpl",
    "installed",
    "shared",
]


P = ParamSpec("P")
R = TypeVar("R")


def _alone(method: Callable[Concatenate[Plugins, P], R]) -> Callable[Concatenate[Plugins, P], R]:
    """Let one thread at a time into `method`: to others, plugins half loaded would look like all there are."""

    @functools.wraps(method)
    def one_at_a_time(self: Plugins, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._lock:
            return method(self, *args, **kwargs)

    return one_at_a_time


@final
class Plugins:
    """The plugins of one process: discovered when first asked, and looked up by kind and name, from any thread.

    Parameters
    ----------
    discover : bool
        Whether to look for the plugins installed in this environment. Tests use False.
    block : iterable of str
        Names of plugins, or of their distributions, that are not loaded.
    """

    def __init__(self, *, discover: bool = True, block: Iterable[str] = ()) -> None:
        self._lock: Final = threading.RLock()  # entered again by what a plugin asks while it is loaded
        self._loader: Final = Loader(discover=discover, block=block)
        self._entries: Final[dict[str, tuple[Entry, ...]]] = {}
        # Those that were asked for before, as every call of `solve` asks.
        self._classes: Final[dict[tuple[str, str], tuple[Entry, type]]] = {}
        self._relayed: tuple[dict[str, object], pluggy.HookRelay] | None = None
        self.register(builtin, BUILTIN, describe(PROJECT))

    # -- what is loaded ------------------------------------------------------------------------------------------

    @_alone
    def register(self, plugin: object, name: str, distribution: str = "") -> None:
        """Add a plugin by hand: a module or object with hook implementations.

        Raises
        ------
        pluggy.PluginValidationError
            If a hook is misspelt or has unknown arguments; the plugin is then not added.
        """
        self._loader.register(plugin, name, distribution)

    @_alone
    def block(self, name: str) -> None:
        """Do without the plugin `name`, or that of the distribution `name`: it is not loaded, or removed if it is."""
        self._loader.block(name)

    @_alone
    def discover(self) -> None:
        """Find every installed plugin that is not blocked; none is imported."""
        self._loader.discover()

    @property
    @_alone
    def failures(self) -> Mapping[str, str]:
        """Plugins that failed, and why."""
        self._loader.load_all()
        return MappingProxyType(self._loader.failures)

    @property
    @_alone
    def blocked(self) -> tuple[str, ...]:
        """Plugins that are not loaded on request, sorted."""
        return self._loader.blocked

    @_alone
    def states(self) -> tuple[State, ...]:
        """Return every plugin there is, by name: loaded, failed, blocked, shadowed, or of another version."""
        self.list()  # which may fail, too
        return self._loader.states()

    # -- what is offered -----------------------------------------------------------------------------------------

    @_alone
    def list(self, kind: str | None = None) -> tuple[Entry, ...]:
        """Return everything offered (of one kind), in the order of kinds, then by plugin and name."""
        self._loader.load_all()
        return self._offered(kind)

    @_alone
    def find(self, kind: str, name: str) -> Entry:
        """Return the entry called `name`, ``"admm"`` or ``"solvers:admm"``, without importing its target."""
        plugin, colon, _ = name.partition(":")
        if colon:
            self._loader.load(plugin)
        known = colon and plugin in self._loader.modules
        entries = self._offered(kind) if known else self.list(kind)
        found = [entry for entry in entries if name in (entry.name, entry.component.name)]
        if not found:
            raise UnknownComponentError(self._unknown(kind, name))
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

    @_alone
    def get(self, kind: str, name: str) -> Any:
        """Import, check and return a component; a recording of `partgraph.provenance` takes note of it.

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
        self._hooks()  # forgets what was found before the plugins changed
        if (kind, name) in self._classes:
            entry, target = self._classes[kind, name]
        else:
            entry = self.find(kind, name)
            if entry.missing:
                raise InvalidComponentError(
                    f"{kind} {entry.name!r} needs {', '.join(entry.missing)}, which is not installed. "
                    f"Install it with: {entry.remedy}"
                )
            target = resolve(kind, entry.name, entry.component)
            if isinstance(target, type):
                self._classes[kind, name] = entry, target
        provenance.note(entry)
        return target

    @_alone
    def default_solver(self, problem: Problem) -> str:
        """Return the name of the solver for `problem`: the first answer of the plugins, the core's own last."""
        self._loader.load_all()
        given: dict[str, Any] = {"problem": problem}
        for implementation in reversed(self._hooks().partgraph_default_solver.get_hookimpls()):
            # Whose packages are there is a look at the disk, so it is taken only if asked for.
            if "installed" in implementation.argnames:
                given["installed"] = tuple(e.name for e in self.list("solver") if not e.missing)
            try:
                answer = implementation.function(*(given[name] for name in implementation.argnames))
            except Exception as error:  # whatever a plugin does wrong must not break its host
                self._loader.fail(implementation.plugin_name, "failed to choose a solver", error)
                continue
            if answer is not None:
                return str(answer)
        raise AssertionError("the core has an answer to everything")

    def _offered(self, kind: str | None) -> tuple[Entry, ...]:
        """Return what the plugins that are loaded offer."""
        if kind is None:
            return tuple(entry for each in KINDS for entry in self._offered(each))
        if kind not in KINDS:
            raise UnknownComponentError(
                f"no kind of component is called {kind!r}. Kinds: {', '.join(KINDS)}."
            )
        self._hooks()  # forgets what was offered before the plugins changed
        if kind not in self._entries:
            entries = sorted(self._offers(kind), key=lambda entry: (entry.plugin, entry.component.name))
            self._entries[kind] = tuple(entries)
        return self._entries[kind]

    def _offers(self, kind: str) -> Iterator[Entry]:
        # pluggy's own call does not say who returned what, so its implementations are called one by one.
        for implementation in getattr(self._hooks(), KINDS[kind].hook).get_hookimpls():
            plugin = implementation.plugin_name
            try:
                components = [_checked(each) for each in implementation.function()]
            except Exception as error:  # as above
                self._loader.fail(plugin, f"failed to list its {kind} components", error)
                continue
            distribution = self._loader.distributions[plugin]
            yield from (Entry(kind, plugin, distribution, component) for component in components)

    def _hooks(self) -> pluggy.HookRelay:
        """Return the hooks of all plugins that are loaded."""
        modules = self._loader.modules
        if self._relayed is None or self._relayed[0] != modules:
            self._entries.clear()
            self._classes.clear()
            self._relayed = dict(modules), relay(modules)
        return self._relayed[1]

    def _unknown(self, kind: str, name: str) -> str:
        entries = self.list(kind)
        message = f"no {kind} named {name!r}. Installed: {', '.join(e.name for e in entries) or 'none'}."
        if absent := self._loader.absent:
            failed = ", ".join(f"plugin {plugin!r} ({why})" for plugin, why in sorted(absent.items()))
            message += f" Not loaded: {failed}."
        if self.blocked:
            message += f" Blocked: {', '.join(self.blocked)}."
        return message


def _checked(component: object) -> Component:
    if not isinstance(component, Component):
        raise TypeError(f"a hook yields values of partgraph.Component; found {component!r}")
    return component


def shared() -> Plugins:
    """Return the plugins of this process, made when first asked for."""
    with _ONE_AT_A_TIME:
        return _of_this_process()


_ONE_AT_A_TIME: Final = threading.Lock()


@functools.cache
def _of_this_process() -> Plugins:
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
