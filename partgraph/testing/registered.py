"""Instances of registered components, to run checks on."""

from __future__ import annotations

import pkgutil
from typing import Any

from partgraph import plugins as registry
from partgraph.errors import InvalidComponentError
from partgraph.plugins import Entry

KINDS = ("unary", "pairwise", "graph", "solver")
"""Kinds of components that have checks."""


def installed(kind: str) -> list[Any]:
    """Return instances of everything registered for `kind` whose packages are installed.

    Parameters
    ----------
    kind : str
        One of ``unary``, ``pairwise``, ``graph``, ``solver``.
    """
    return [
        subject for entry in registry.shared().list(kind) if not entry.missing for subject in subjects(entry)
    ]


def subjects(entry: Entry) -> list[Any]:
    """Return instances of one component: its examples where it names some, otherwise one made with defaults.

    Raises
    ------
    InvalidComponentError
        If there are no checks for this kind, or no instance can be made.
    """
    if entry.kind not in KINDS:
        raise InvalidComponentError(
            f"there are no checks for the kind {entry.kind!r}; for {', '.join(KINDS)} there are"
        )
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
