"""Instances of registered components, to run checks on."""

from __future__ import annotations

import contextlib
import pkgutil
import unittest
from typing import Any

from partgraph import plugins as registry
from partgraph.errors import InvalidComponentError
from partgraph.plugins import Entry


def installed(kind: str) -> list[Any]:
    """Return instances of everything registered for `kind` that can be checked here.

    Left out is what needs packages that are not installed, or files that are not there.

    Parameters
    ----------
    kind : str
        A key of `partgraph.components.KINDS`.
    """
    found: list[Any] = []
    for entry in registry.shared().list(kind):
        with contextlib.suppress(unittest.SkipTest):
            found += subjects(entry)
    return found


def subjects(entry: Entry) -> list[Any]:
    """Return instances of one component: its examples where it names some, otherwise one made with defaults.

    Raises
    ------
    InvalidComponentError
        If no instance can be made.
    unittest.SkipTest
        If packages or files are missing.
    """
    if entry.missing:
        raise unittest.SkipTest(f"{entry.name} needs {', '.join(entry.missing)}: {entry.remedy}")
    target = registry.shared().get(entry.kind, entry.name)
    if entry.component.examples:
        return list(pkgutil.resolve_name(entry.component.examples)())
    if not isinstance(target, type):
        return [target]
    try:
        return [target()]
    except TypeError as error:
        raise InvalidComponentError(
            f"{entry.kind} {entry.name!r} cannot be made without arguments ({error}); "
            "give its Component examples='module:function', a function that returns instances to check"
        ) from error
