"""Exact inference on trees in torch: boxes and points are compared on a device, the few that are left decided exactly.

What `search` leaves are candidates that may be in one of the n best configurations, by bounds with a margin for
rounding, be it float32 or float64. A few of thousands are left as a rule, and dynamic programming in float64 chooses
among these, ties by lowest labels.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, final

import attrs
import numpy as np
import torch

from partgraph import Candidates, DynamicProgramming, Problem, Solution, Solver
from partgraph_torch.batch import Batch, only_quadratic
from partgraph_torch.forest import trees_of
from partgraph_torch.search import survivors


def _device(instance: Any, attribute: Any, value: str | None) -> None:
    if value is None:
        return
    try:
        kind = torch.device(value).type
    except RuntimeError as error:
        raise ValueError(f"device must be 'cpu', 'cuda' or another of torch's; found {value!r}") from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {value!r} is not there: torch finds no GPU. Leave device out, or say 'cpu'")


def _runs(instance: Any, attribute: Any, value: tuple[int, ...]) -> None:
    sizes = (*value, 1)
    if any(size < 2 for size in value) or any(a % b or a == b for a, b in itertools.pairwise(sizes)):
        raise ValueError(f"runs must fall, each divided by the next, down to at least 2; found {value}")


def _at_least_one(instance: Any, attribute: Any, value: int) -> None:
    if value < 1:
        raise ValueError(f"{attribute.name} must be at least 1; found {value}")


def _sizes(values: Sequence[int]) -> tuple[int, ...]:
    return tuple(values)


@final
@attrs.frozen
class Torch(Solver):
    """Find the best configurations of trees and forests, exactly; many problems of one shape at once.

    Any potentials whose ``bounds`` run on tensors, anchors, edges in both directions, any unary term, forbidden
    candidates. Ties by lowest labels.

    Attributes
    ----------
    device : str, optional
        Where to compute, as torch names it; None: on the GPU if there is one, otherwise on the processor.
    precision : "float32", "float64" or None
        The arithmetic of bounds. float32 drops candidates with a larger margin and is for `Quadratic` terms alone;
        problems with others are bounded in float64. None: float32 on a GPU.
    runs : tuple of int
        Sizes of the runs of candidates that are bounded before single ones are compared, each divided by the next;
        those too large for a problem are left out. (): brute force.
    tile : int
        How many pairs of candidates are compared at a time, of all problems of a batch together: about 64 bytes each.
    batch_size : int
        How many problems of one shape `solve_many` hands over at once.
    """

    exact: ClassVar[bool] = True

    device: str | None = attrs.field(default=None, validator=_device)
    precision: Literal["float32", "float64"] | None = attrs.field(
        default=None, validator=attrs.validators.in_((None, "float32", "float64"))
    )
    runs: tuple[int, ...] = attrs.field(default=(64, 8), converter=_sizes, validator=_runs)
    tile: int = attrs.field(default=2**20, validator=_at_least_one)
    batch_size: int = attrs.field(default=16, validator=_at_least_one)

    def supports(self, problem: Problem) -> str | None:
        """Refuse graphs with a cycle."""
        cycle = problem.graph.cycle()
        if cycle:
            names = ", ".join(problem.graph.parts[part] for part in cycle)
            return (
                f"the graph has a cycle ({names}), and messages in torch need a tree. "
                "Use exact or admm (partgraph-solvers), or solve problem.restrict(star) for each star"
            )
        return None

    def compute(self, problem: Problem, state: Any, n_best: int) -> Solution:
        """Solve a batch of one."""
        return self.compute_many([problem], n_best)[0]

    @torch.no_grad()
    def compute_many(self, problems: Sequence[Problem], n_best: int) -> list[Solution]:
        """Solve problems that share graph and sizes."""
        problem = problems[0]
        device = torch.device(self.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        runs = tuple(run for run in self.runs if 4 * run <= max(problem.sizes))
        batch = Batch.of(problems, runs[0] if runs else 1, device, self._dtype(problems, device))
        trees = trees_of(problem.graph, problem.sizes)
        kept, pairs = survivors(batch, problem.graph.edges, trees, runs, n_best, self.tile)
        labels = [
            torch.gather(own, 1, places.clamp(min=0)).masked_fill(places < 0, -1).cpu().numpy()
            for own, places in zip(batch.labels, kept, strict=True)
        ]
        return [
            _decided(own, [np.sort(rows[b][rows[b] >= 0]) for rows in labels], n_best, pairs)
            for b, own in enumerate(problems)
        ]

    def _dtype(self, problems: Sequence[Problem], device: torch.device) -> torch.dtype:
        wanted = self.precision or ("float32" if device.type == "cuda" else "float64")
        return torch.float32 if wanted == "float32" and all(map(only_quadratic, problems)) else torch.float64


def _decided(problem: Problem, left: list[np.ndarray], n_best: int, pairs: int) -> Solution:
    """Choose among the candidates left, (count,) labels of each part; `pairs` were compared to find them."""
    if not all(map(len, left)):
        return DynamicProgramming().compute(problem, None, n_best)  # nothing is allowed: let it say so
    candidates = tuple(
        Candidates(own.positions[labels], own.scores[labels])
        for own, labels in zip(problem.candidates, left, strict=True)
    )
    anchors = tuple(
        None if own is None else own[left[i]]
        for own, (i, _) in zip(problem.anchors, problem.graph.edges, strict=True)
    )
    found = DynamicProgramming().compute(
        attrs.evolve(problem, candidates=candidates, anchors=anchors), None, n_best
    )
    labels = np.stack([own[column] for own, column in zip(left, found.labels.T, strict=True)], axis=1)
    stats = {"candidates_left": [len(own) for own in left], "pairs": pairs}
    return attrs.evolve(found, labels=labels, stats=stats)
