"""The hook functions of plugins: checked against what this version of the framework asks, and collected in order."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Mapping

import pluggy

from partgraph.discovery import describe
from partgraph.hookspecs import PROJECT, PartGraphSpecs


def relay(plugins: Mapping[str, object]) -> pluggy.HookRelay:
    """Return the hooks of plugins, registered in the order of their names, so that the last is asked first."""
    manager = _manager()
    for name, plugin in sorted(plugins.items()):
        manager.register(plugin, name)
    return manager.hook


def validate(plugin: object) -> None:
    """Raise unless every hook of a plugin is one of ours, with arguments of ours.

    Fewer arguments than a hook has are fine, so a hook may gain some; one that a plugin marks with
    ``hookimpl(optionalhook=True)`` may be unknown, so a plugin may serve newer versions too.

    Raises
    ------
    pluggy.PluginValidationError
        Otherwise; the message says what to do.
    """
    for attribute, hook, optional in _implemented(plugin):
        spec = getattr(PartGraphSpecs, hook, None)
        if spec is None and not optional:
            raise pluggy.PluginValidationError(plugin, _unknown(hook))
        if spec is not None:
            known = list(inspect.signature(spec).parameters)[1:]
            asked = inspect.signature(getattr(plugin, attribute)).parameters
            strange = [name for name in asked if name not in known]
            if strange:
                raise pluggy.PluginValidationError(
                    plugin,
                    f"hook {hook!r} asks for {', '.join(map(repr, strange))}, but is given "
                    f"{', '.join(map(repr, known)) or 'nothing'}; {_another_version()}",
                )


def _implemented(plugin: object) -> Iterator[tuple[str, str, bool]]:
    """Yield the names of a plugin's hook functions, their hooks, and whether these may be unknown."""
    manager = _manager()
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is not None:
            yield name, options.get("specname") or name, options.get("optionalhook", False)


def _unknown(hook: str) -> str:
    known = [name for name in vars(PartGraphSpecs) if name.startswith(PROJECT)]
    close = difflib.get_close_matches(hook, known, 1)
    if close:
        return f"unknown hook {hook!r}; did its author mean {close[0]!r}? If not, {_another_version()}"
    return f"unknown hook {hook!r}; {_another_version()}"


def _another_version() -> str:
    return f"the plugin was written for another version than {describe(PROJECT)}: upgrade one of the two"


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(PartGraphSpecs)
    return manager
