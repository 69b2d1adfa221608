"""Tables as Markdown for people, and as CSV and plain values for programs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import Any

from partgraph.report.tables import Cell, Column, Row, Table, format_number

CSV_FIELDS = ("table", "row", "note", "column", "unit", "value", "uncertainty")


def cell_text(cell: Cell, column: Column) -> str:
    """What stands in a cell, for a reader."""
    text = cell.value if isinstance(cell.value, str) else format_number(cell.value, column.decimals)
    return (
        text if cell.uncertainty is None else f"{text} ± {format_number(cell.uncertainty, column.decimals)}"
    )


def to_markdown(table: Table) -> str:
    """A title, a table and its caption."""
    heading = f"### {table.title}{f', {table.unit}' if table.unit else ''}"
    head = [f"{_escape(column.name)}{f' [{column.unit}]' if column.unit else ''}" for column in table.columns]
    lines = [
        f"|  | {' | '.join(head)} |",
        f"|---|{'---:|' * len(head)}",
        *map(_markdown_row(table), table.rows),
    ]
    return "\n\n".join(filter(None, (heading, "\n".join(lines), table.caption))) + "\n"


def to_csv(tables: Iterable[Table]) -> str:
    """One line for every number, with full digits: `CSV_FIELDS`, the first line says so."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_FIELDS)
    for table in tables:
        for row in table.rows:
            for cell, column in zip(row.cells, table.columns, strict=True):
                unit = column.unit or table.unit
                values = (_plain(cell.value), _plain(cell.uncertainty))
                writer.writerow([table.title, row.label, row.note, column.name, unit, *values])
    return out.getvalue()


def to_json(tables: Iterable[Table]) -> list[dict[str, Any]]:
    """Each table as plain values, with full digits, None where there is no number."""
    return [
        {
            "title": table.title,
            "caption": table.caption,
            "columns": [{"name": column.name, "unit": column.unit or table.unit} for column in table.columns],
            "rows": [
                {
                    "label": row.label,
                    "note": row.note,
                    "values": [_plain(cell.value) for cell in row.cells],
                    "uncertainties": [_plain(cell.uncertainty) for cell in row.cells],
                }
                for row in table.rows
            ],
        }
        for table in tables
    ]


def _markdown_row(table: Table) -> Any:
    def row_text(row: Row) -> str:
        label = _escape(row.label) + (f" *({_escape(row.note)})*" if row.note else "")
        cells = []
        for cell, column in zip(row.cells, table.columns, strict=True):
            text = "" if cell.value is None else _escape(cell_text(cell, column))
            cells.append(f"**{text}**" if cell.emphasis and text else text)
        return f"| {label} | {' | '.join(cells)} |"

    return row_text


def _plain(value: float | str | None) -> float | str | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _escape(text: str) -> str:
    return text.replace("|", "\\|")
