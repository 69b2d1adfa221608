"""``partgraph new-plugin NAME --kind KIND``: a distribution of one's own, ready to install and to change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from partgraph.cli.output import print_line
from partgraph.scaffold import TEMPLATES, new_plugin

_KINDS = ", ".join(f"`{kind}`" for kind in TEMPLATES)


def create(
    name: Annotated[str, Parameter(help="Its name: lower-case words joined by hyphens.")],
    *,
    kind: Annotated[str, Parameter(help=f"What it offers: {_KINDS}.")],
    out: Annotated[Path, Parameter(help="The folder to make it in.")] = Path(),
) -> None:
    """Write a new plugin: a distribution with one component, its tests and a README."""
    folder = new_plugin(name, kind, out)
    print_line(f"{folder}: a {kind}. To install and test it:")
    print_line(f'  pip install -e "{folder}[testing]"')
    print_line(f"  pytest {folder}")
