"""What training reports, on disk: a line of JSON for each report, and if asked for curves for TensorBoard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, final

import attrs

from partgraph.errors import PartGraphError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOG, CURVES = "log.jsonl", "tensorboard"


class LogError(PartGraphError, ImportError):
    """A log that cannot be written here."""


@final
@attrs.frozen
class Progress:
    """How far training is.

    Attributes
    ----------
    step, steps : updates done, and in all
    terms : the loss's terms, averaged over the last updates
    rate : samples a second since training was started or resumed
    stage : name of the stage
    validation : the terms on validation data when they were last measured
    """

    step: int
    steps: int
    terms: dict[str, float]
    rate: float
    stage: str = "training"
    validation: dict[str, float] = attrs.field(factory=dict)


@final
class Log:
    """Appends to the log of a folder.

    Parameters
    ----------
    folder : made when absent
    curves : whether TensorBoard can show it too
    first : the step from which training goes on; curves beyond it are dropped

    Raises
    ------
    LogError
        When TensorBoard is not installed.
    """

    def __init__(self, folder: Path, *, curves: bool = False, first: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / LOG
        self._writer: SummaryWriter | None = None
        if curves:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                raise LogError(
                    "TensorBoard's logs need the package tensorboard; "
                    "install it, for example with pip install 'partgraph[tensorboard]'"
                ) from None
            self._writer = SummaryWriter(folder / CURVES, purge_step=first + 1)

    def write(self, progress: Progress) -> None:
        """Append a report."""
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(attrs.asdict(progress)) + "\n")
        if self._writer is None:
            return
        for kind, values in (("loss", progress.terms), ("validation", progress.validation)):
            for name, value in values.items():
                self._writer.add_scalar(f"{progress.stage}/{kind}/{name}", value, progress.step)
        self._writer.add_scalar(f"{progress.stage}/samples a second", progress.rate, progress.step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
