"""What the search costs a step of the structured stage, and what using violators again brings.

    python benchmarks/structured.py [--model human-medium] [--graph two-hop]

Ratios of wall time within one run, as two threads are at work; what is compared takes turns, step by step.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import torch
from torch import Tensor

from partgraph import Problem, Solution
from partgraph.learning import structured
from partgraph.learning.batches import collate
from partgraph.learning.checkpoint import load_trained, trained_folder
from partgraph.learning.loss import Loss
from partgraph.learning.model import Batch, Network
from partgraph.learning.stage import Stage, Training
from partgraph.learning.structured import StructuredHinge
from partgraph.learning.update import Update
from partgraph.plugins import get

LEARNING_RATE = 1e-4


class InTurn(Loss):
    """The same loss without overlap: searches begin when their answer is wanted."""

    def __init__(self, loss: Loss) -> None:
        self._loss = loss

    @property
    def graph(self) -> str | None:
        return self._loss.graph

    def __call__(self, network: Network, outputs: Any, batch: Batch) -> dict[str, Tensor]:
        return self._loss(network, outputs, batch)

    def counts(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        return self._loss.counts(network, batch)


class Watch:
    """Takes the place of the loss's search: how long answers were waited for, and of how many problems."""

    def __init__(self) -> None:
        self.seconds, self.problems = 0.0, 0
        self._search = structured.search
        structured.search = self

    def __call__(
        self, problems: Sequence[Problem], solver: str | None, n_best: int
    ) -> Callable[[], list[Solution]]:
        self.problems += len(problems)
        wait = self._search(problems, solver, n_best)

        def timed() -> list[Solution]:
            start = time.perf_counter()
            solutions = wait()
            self.seconds += time.perf_counter() - start
            return solutions

        return timed

    def read(self) -> tuple[float, int]:
        """Both since the last reading."""
        found = self.seconds, self.problems
        self.seconds, self.problems = 0.0, 0
        return found


class Run:
    """Updates of a network of its own, and what each of them took."""

    def __init__(self, model: str, graph_scale: float, loss: Loss, batch: int, accumulate: int) -> None:
        self.network = load_trained(trained_folder(model)).network
        weights = self.network.pairwise_weights().detach()
        self.network.set_pairwise_weights(weights * graph_scale)
        options = Training(batch=batch, accumulate=accumulate, learning_rate=LEARNING_RATE, weight_decay=0.0)
        stage = Stage("structured", ((1.0, loss.started()),), options, "heads", tuning=True)
        self._update = Update(self.network, stage)
        self.seconds: list[float] = []
        self.waited: list[float] = []
        self.searched = 0

    def step(self, batch: Batch, watch: Watch) -> None:
        start = time.perf_counter()
        self._update(batch, LEARNING_RATE)
        self.seconds.append(time.perf_counter() - start)
        waited, problems = watch.read()
        self.waited.append(waited)
        self.searched += problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="human-medium", help="an installed experiment, or a folder")
    parser.add_argument("--graph", default="two-hop")
    parser.add_argument("--data", default="synthetic-human", help="a rendered data set")
    parser.add_argument("--samples", type=int, default=16, help="two batches, shown again and again")
    parser.add_argument("--steps", type=int, default=12)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = get("dataset", options.data)(split="validation", count=options.samples)
    size = options.samples // 2
    batches = [
        attrs.evolve(collate([data[k] for k in which]), samples=torch.tensor(which))
        for which in (list(range(start, start + size)) for start in (0, size))
    ]
    scale = load_trained(trained_folder(options.model)).experiment.evaluation.pairwise_scale.get(
        options.graph, 1.0
    )
    hinge = StructuredHinge(options.graph, margin=0.125)
    overlap(options.model, scale, hinge, batches, options.steps)
    reuse(options.model, scale, hinge, batches, options.steps)


def overlap(model: str, scale: float, hinge: StructuredHinge, batches: list[Batch], steps: int) -> None:
    """Steps with batches in parts, the search of one while the network works on the next, and one after the other."""
    size, watch = len(batches[0].images), Watch()
    print(f"batch of {size}, {hinge.graph}, K = {hinge.n_best}\n")
    print("| parts | step, ms | waiting | step without overlap, ms | waiting | with over without |")
    print("|---:|---:|---:|---:|---:|---:|")
    for parts in (1, 2, 4):
        runs = [Run(model, scale, loss, size, parts) for loss in (hinge, InTurn(hinge))]
        for step in range(steps):
            for run in runs:
                run.step(batches[step % 2], watch)
        cells, times = [], []
        for run in runs:
            times.append(statistics.median(run.seconds[1:]))
            cells.append(f"{1e3 * times[-1]:.0f} | {sum(run.waited[1:]) / sum(run.seconds[1:]):.0%}")
        # Pairs of steps that ran one after the other.
        ratio = statistics.median(a / b for a, b in zip(*(run.seconds[1:] for run in runs), strict=True))
        print(f"| {parts} | {cells[0]} | {cells[1]} | {ratio:.2f} |", flush=True)
    structured.search = watch._search


def reuse(model: str, scale: float, hinge: StructuredHinge, batches: list[Batch], steps: int) -> None:
    """The same samples again and again: what each number of uses saves, and what it does to the loss."""
    size, watch = len(batches[0].images), Watch()
    numbers = (0, 1, 3, 9)
    runs = [Run(model, scale, attrs.evolve(hinge, reuse=number), size, 1) for number in numbers]
    before = mean_hinge(runs[0].network, hinge, batches)
    watch.read()
    for step in range(2 * steps):
        for run in runs:
            run.step(batches[step % 2], watch)
    print(f"\n{2 * steps} steps, every sample {steps} times; hinge before {before:.4f}\n")
    print("| reuse | step over that of reuse = 0 | searches left out | hinge after |")
    print("|---:|---:|---:|---:|")
    for number, run in zip(numbers, runs, strict=True):
        ratio = sum(run.seconds) / sum(runs[0].seconds)
        kept = 1 - run.searched / (2 * steps * size)
        print(f"| {number} | {ratio:.2f} | {kept:.0%} | {mean_hinge(run.network, hinge, batches):.4f} |")
    structured.search = watch._search


def mean_hinge(network: Network, hinge: StructuredHinge, batches: list[Batch]) -> float:
    """The hinge over all samples, searched anew."""
    with torch.no_grad():
        found = [float(hinge(network, network(batch.images), batch)["hinge"]) for batch in batches]
    return sum(found) / len(found)


if __name__ == "__main__":
    main()
