"""Time, memory, and tables of measurements."""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs
from rich.console import Console
from rich.table import Table as Printed

T = TypeVar("T")
Value = float | str | None


def timed(function: Callable[[], T], repeat: int = 1) -> tuple[T, float]:
    """Return the result and the least time of `repeat` calls: processor time of this thread, ms."""
    times = []
    for _ in range(repeat):
        start = time.thread_time()
        result = function()
        times.append(1e3 * (time.thread_time() - start))
    return result, min(times)


def peak_memory(function: Callable[[], object], warm_up: Callable[[], object]) -> float | None:
    """Return by how much a call raises the highest resident memory, bytes; None where the system does not tell.

    The call is made in a fork. There `warm_up`, the same on something small, is called first: pages of code and of
    libraries, some 6 MB here, become resident with their first use, and nothing is allocated for them. Then unused
    memory is given back, so that nothing old is used again.
    """
    if not Path("/proc/self/clear_refs").exists():
        return None
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)

    def measure() -> None:
        warm_up()
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts at what is resident now
        before = _resident("VmRSS")
        function()
        send.send(_resident("VmHWM") - before)

    child = context.Process(target=measure)
    child.start()
    child.join()
    return receive.recv() if child.exitcode == 0 else None


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


class Deadline:
    """Says when no time is left for another row."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + 60 * minutes

    def rows(self, table: Table, keys: Iterable[tuple[Value, ...]]) -> Iterator[tuple[Any, ...]]:
        """Yield keys of rows; those that are not begun in time are named under the table."""
        for key in keys:
            if time.monotonic() < self._end:
                yield key
            else:
                table.notes.append(f"out of time: {' '.join(map(str, key))}")


@attrs.define(eq=False)
class Table:
    """Measurements: rows of named values.

    Attributes
    ----------
    name : str
        In JSON.
    title : str
        What is measured, with units.
    rows : list of dict
        By column. None: not measured.
    notes : list of str
        What is missing, and why.
    """

    name: str
    title: str
    rows: list[dict[str, Value]] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)

    def show(self, console: Console) -> None:
        """Print it."""
        columns = list(dict.fromkeys(column for row in self.rows for column in row))
        printed = Printed(
            title=self.title, title_justify="left", caption="\n".join(self.notes), caption_justify="left"
        )
        for column in columns:
            text = any(isinstance(row.get(column), str) for row in self.rows)
            printed.add_column(column, justify="left" if text else "right")
        for row in self.rows:
            printed.add_row(*(_text(row.get(column)) for column in columns))
        console.print(printed)


def _text(value: Value) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"


def median(values: Sequence[float]) -> float | None:
    """Return the median; None if there are no values."""
    return statistics.median(values) if values else None


def medians(measured: Sequence[dict[str, float]]) -> dict[str, Value]:
    """Return every column's median over the rows that have it."""
    columns = dict.fromkeys(column for row in measured for column in row)
    return {column: median([row[column] for row in measured if column in row]) for column in columns}


def ratio(value: Value, other: Value) -> float | None:
    """Return how many times `other` goes into `value`; None where one was not measured."""
    return value / other if isinstance(value, int | float) and isinstance(other, int | float) else None


def write_json(path: Path, tables: Sequence[Table]) -> None:
    """Write the tables as one JSON object, with what they were made with."""
    made = {"python": sys.version.split()[0], "platform": sys.platform}
    content = {table.name: attrs.asdict(table) for table in tables}
    path.write_text(json.dumps({"made_with": made, "tables": content}, indent=1) + "\n", encoding="utf-8")
