"""Lines of a text file that know where they are, so that every complaint names the file and the line."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from partgraph.errors import PartGraphError


class MotionError(PartGraphError, ValueError):
    """Motion that cannot be used; one line says where, what was asked, what was found and what to do."""

    def __init__(self, where: object, asked: str, found: str, do: str) -> None:
        super().__init__(where, asked, found, do)

    def __str__(self) -> str:
        where, asked, found, do = self.args
        return f"{where}: {asked}; found {found}; {do}"


class Line(NamedTuple):  # a tuple, since a file has a hundred thousand of them
    """The words of a line, its comment left out; `number` counts from 1."""

    path: Path
    number: int
    words: tuple[str, ...]

    def fail(self, asked: str, found: str, do: str) -> NoReturn:
        """Raise the error that something is wrong with this line."""
        raise MotionError(f"{self.path}:{self.number}", asked, found, do)

    def numbers(self, count: int) -> NDArray[np.float64]:
        """Return the (count,) finite numbers behind the line's first word."""
        return table([self], 1, count, self.words[0])[0]

    def positive(self) -> float:
        """Return the positive number behind the line's first word."""
        number = float(self.numbers(1)[0])
        if number <= 0:
            self.fail(f"{self.words[0]} must be positive", f"{number:g}", "repair the line")
        return number


def read_lines(path: Path, comment: str = "") -> list[Line]:
    """Return the lines that say something; text behind the mark of a comment says nothing."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        found = error.strerror or str(error)
        raise MotionError(path, "a file must be there to be read", found, "check the path") from error
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = (line.partition(comment)[0] if comment else line).split()
        if words:
            lines.append(Line(path, number, tuple(words)))
    if not lines:
        raise MotionError(path, "a file of motion must say something", "nothing in it", "check the path")
    return lines


def table(lines: Sequence[Line], start: int, width: int, asked: str) -> NDArray[np.float64]:
    """Return the finite numbers (L, width) that L lines consist of from the word `start` on."""
    rows = [line.words[start:] for line in lines]
    for line, row in zip(lines, rows, strict=True):
        if len(row) != width:
            line.fail(f"{asked} must be {width} number{'s'[: width != 1]}", f"{len(row)}", "repair the line")
    try:
        numbers = np.array(rows, dtype=np.float64).reshape(len(rows), width)
    except ValueError:
        numbers = np.full((len(rows), width), np.nan)
    if not np.isfinite(numbers).all():
        for line, row in zip(lines, rows, strict=True):
            for word in row:
                if not _is_finite(word):
                    line.fail(f"{asked} must be finite numbers", repr(word), "repair the line")
    return numbers


def _is_finite(word: str) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False
