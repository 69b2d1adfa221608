"""How commands print: JSON for programs, tables for people, both on standard output."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from partgraph.report.formats import cell_text
from partgraph.report.tables import Table


def print_json(value: object) -> None:
    """Print one JSON value. NaN and infinities, which JSON lacks, become null."""
    print(json.dumps(_plain(value), indent=2, allow_nan=False))  # noqa: T201


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table of text. In a terminal the last column wraps; elsewhere every row is one line."""
    table = Grid(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column != columns[-1], overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False, width=None if sys.stdout.isatty() else 10_000).print(table)


def print_tables(tables: Iterable[Table]) -> None:
    """Print tables of numbers for a reader, each below its title."""
    for table in tables:
        print_line(f"\n{table.title}{f', {table.unit}' if table.unit else ''}")
        headings = [f"{column.name}{f' [{column.unit}]' if column.unit else ''}" for column in table.columns]
        noted = [""] if any(row.note for row in table.rows) else []
        rows = []
        for row in table.rows:
            cells = [cell_text(cell, column) for cell, column in zip(row.cells, table.columns, strict=True)]
            rows.append([row.label, *cells, *([row.note] if noted else [])])
        print_table(["", *headings, *noted], rows)


def print_line(text: str) -> None:
    """Print a line of text as it is."""
    Console(highlight=False, markup=False, emoji=False, soft_wrap=True).print(text)


def _plain(value: Any) -> Any:
    """Return what ``json`` understands: NumPy arrays and numbers become lists and numbers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
