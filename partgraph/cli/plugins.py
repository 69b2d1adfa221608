"""``partgraph plugins``: what is installed, where it comes from, and whether it can be had."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Annotated, Any

from cyclopts import Parameter

from partgraph import plugins as registry
from partgraph.cli.output import print_json, print_table
from partgraph.errors import PluginLoadWarning
from partgraph.plugins import Entry


def plugins(
    kind: Annotated[str | None, Parameter(help="List only one kind, as in `solver`.")] = None,
    *,
    json: Annotated[bool, Parameter(negative=(), help="Print JSON.")] = False,
) -> None:
    """List installed components and their state, then the plugins that are not loaded, and why."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginLoadWarning)  # the table says the same in its place
        rows = [*_components(registry.installed(kind)), *_absent()]
    if json:
        print_json(rows)
    else:
        columns = ("kind", "name", "status", "distribution", "summary")
        print_table(columns, ([row[column] for column in columns] for row in rows))


def _components(entries: tuple[Entry, ...]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        same = [
            other.name
            for other in entries
            if (other.kind, other.component.name) == (entry.kind, entry.component.name) and other is not entry
        ]
        yield {
            "kind": entry.kind,
            "name": entry.name,
            "distribution": entry.distribution,
            "status": entry.status + ("; by its full name only" if same else ""),
            "summary": entry.component.summary,
            "same_name": same,
        }


def _absent() -> Iterator[dict[str, Any]]:
    for state in registry.shared().states():
        if state.status != "loaded":
            yield {
                "kind": "",
                "name": state.plugin,
                "distribution": state.distribution,
                "status": state.status,
                "summary": "",
                "same_name": [],
            }
