"""``partgraph plugins``: what is installed, where it comes from, and whether it is ready."""

from __future__ import annotations

import warnings
from typing import Annotated

from cyclopts import Parameter

from partgraph import plugins as registry
from partgraph.cli.output import print_json, print_table
from partgraph.errors import PluginLoadWarning


def plugins(
    kind: Annotated[str | None, Parameter(help="List only one kind, as in `solver`.")] = None,
    *,
    json: Annotated[bool, Parameter(negative=(), help="Print JSON.")] = False,
) -> None:
    """List installed components, and their state."""
    known = registry.shared()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginLoadWarning)  # the table says the same in its place
        rows = [
            {
                "kind": entry.kind,
                "name": entry.name,
                "distribution": entry.distribution,
                "status": entry.status,
                "summary": entry.component.summary,
            }
            for entry in known.list(kind)
        ]
        for name, status in (
            *((name, f"failed: {why}") for name, why in sorted(known.failures.items())),
            *((name, "blocked") for name in known.blocked),
        ):
            rows.append(
                {
                    "kind": "",
                    "name": name,
                    "distribution": known.distribution(name),
                    "status": status,
                    "summary": "",
                }
            )
    if json:
        print_json(rows)
    else:
        columns = ("kind", "name", "status", "distribution", "summary")
        print_table(columns, ([row[column] for column in columns] for row in rows))
