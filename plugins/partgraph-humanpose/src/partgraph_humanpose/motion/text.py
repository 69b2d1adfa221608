"""Lines of a text file that know where they are, so that every complaint names file and line."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, final

import attrs
import numpy as np
from numpy.typing import NDArray


class MotionError(ValueError):
    """Motion that cannot be used. One line says what was asked, what was found and what to do."""


@final
@attrs.frozen
class Line:
    """The words of a line, the comment left out; `number` counts from 1."""

    path: Path
    number: int
    words: tuple[str, ...]

    def fail(self, message: str) -> NoReturn:
        """Raise the error that something is wrong with this line."""
        raise MotionError(f"{self.path}:{self.number}: {message}")

    def numbers(self, count: int, asked: str) -> NDArray[np.float64]:
        """The (count,) finite numbers behind the line's first word."""
        words = self.words[1 : 1 + count]
        try:
            numbers = np.array(words, dtype=np.float64)
        except ValueError:
            numbers = np.array([np.nan])
        if len(words) != count or not np.isfinite(numbers).all():
            found = " ".join(self.words[1:]) or "nothing"
            self.fail(f"{asked} must be {count} finite number{'s'[: count != 1]}; found {found!r}; repair the line")
        return numbers

    def positive(self, asked: str) -> float:
        """The positive number behind the line's first word."""
        number = float(self.numbers(1, asked)[0])
        if number <= 0:
            self.fail(f"{asked} must be positive; found {number:g}; repair the line")
        return number


def read_lines(path: Path) -> list[Line]:
    """The lines of a file that say something; an error if none does."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise MotionError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    split = ((number, line.partition("#")[0].split()) for number, line in enumerate(text.splitlines(), start=1))
    lines = [Line(path, number, tuple(words)) for number, words in split if words]
    if not lines:
        raise MotionError(f"{path}: is empty; check the file")
    return lines


def table(lines: Sequence[Line], start: int, width: int, asked: str) -> NDArray[np.float64]:
    """The (L, width) finite numbers that stand on L lines from the word `start` on, and nothing behind them."""
    rows = [line.words[start:] for line in lines]
    for line, row in zip(lines, rows, strict=True):
        if len(row) != width:
            line.fail(f"{asked} must be {width} number{'s'[: width != 1]}; found {len(row)}; repair the line")
    try:
        numbers = np.array(rows, dtype=np.float64).reshape(len(rows), width)
    except ValueError:
        numbers = None
    if numbers is None or not np.isfinite(numbers).all():
        for line, row in zip(lines, rows, strict=True):
            for word in row:
                if not _is_finite(word):
                    line.fail(f"{asked} must be finite numbers; found {word!r}; repair the line")
    return numbers


def _is_finite(word: str) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False
