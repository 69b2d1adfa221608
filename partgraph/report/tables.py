"""Tables of numbers, and how a number is written for a reader."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import final

import attrs

from partgraph.report.frozen import as_tuple


@final
@attrs.frozen
class Cell:
    """A number or text in a table; `uncertainty` is printed as ± in the column's own decimals."""

    value: float | str | None
    uncertainty: float | None = None
    emphasis: bool = False


@final
@attrs.frozen
class Column:
    """A table's column: its heading, the unit printed under it, and the decimals of its numbers."""

    name: str
    unit: str = ""
    decimals: int = 1


def _cells(cells: Iterable[Cell | float | str | None]) -> tuple[Cell, ...]:
    return tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in cells)


def _columns(columns: Iterable[Column | str]) -> tuple[Column, ...]:
    return tuple(column if isinstance(column, Column) else Column(column) for column in columns)


@final
@attrs.frozen
class Row:
    """A labelled row; cells may be given as plain numbers, text or None. An emphasised row stands out."""

    label: str
    cells: tuple[Cell, ...] = attrs.field(converter=_cells)
    emphasis: bool = False
    note: str = ""


@final
@attrs.frozen
class Table:
    """Rows of numbers under named columns; columns may be given as plain text. `unit` holds for the whole table."""

    title: str
    columns: tuple[Column, ...] = attrs.field(converter=_columns)
    rows: tuple[Row, ...] = attrs.field(converter=as_tuple)
    unit: str = ""
    caption: str = ""

    def __attrs_post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(
                    f"Table {self.title!r}: row {row.label!r} has {len(row.cells)} cells for "
                    f"{len(self.columns)} columns; give one cell per column, None where there is no value."
                )


def format_number(value: float | None, decimals: int) -> str:
    """A number for a reader: fixed decimals, a true minus sign, and a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.{decimals}f}".replace("-", "\u2212").replace(",", "\u2009")
