"""Progress of long work: bars in a terminal, a line now and then elsewhere, always on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from partgraph.learning.log import Progress as TrainingProgress

_SECONDS_BETWEEN_LINES = 15.0


@final
class ConsoleWatcher:
    """Shows how work goes (see `partgraph.learning.train.Watcher`); a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._stages: dict[str, TaskID] = {}
        self._last_line = 0.0

    def __enter__(self) -> Self:
        self._bars.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.__exit__(kind, error, trace)

    def preparing(self, what: str, total: int) -> Callable[[int], None]:
        """A function that is told how many more of `total` are done."""
        task = self._bars.add_task(what, total=total, note="")
        done = 0

        def advance(more: int) -> None:
            nonlocal done
            done += more
            self._bars.advance(task, more)
            self._line(f"{what}: {done} of {total}", last=done == total)

        return advance

    def training(self, progress: TrainingProgress) -> None:
        """The network is being trained."""
        if progress.stage not in self._stages:
            self._stages[progress.stage] = self._bars.add_task(progress.stage, total=progress.steps, note="")
        terms = "  ".join(f"{name} {value:.3f}" for name, value in progress.terms.items())
        note = f"{progress.rate:.0f} samples/s  {terms}"
        if progress.validation:
            note += f"  validation {sum(progress.validation.values()):.3f}"
        self._bars.update(self._stages[progress.stage], completed=progress.step, note=note)
        self._line(f"step {progress.step} of {progress.steps}: {note}", last=progress.step == progress.steps)

    def calibrating(self, graph: str, scale: float, error: float) -> None:
        """A factor on the pairwise weights was tried."""
        self._console.print(
            f"{graph}: weights x {scale:g}: {error:.2f} mm on validation images", soft_wrap=True
        )

    def _line(self, text: str, *, last: bool) -> None:
        """Say it in a line where there are no bars, but not too often."""
        if not self._bars.disable:
            return
        now = time.monotonic()
        if last or now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            self._console.print(text, soft_wrap=True)
