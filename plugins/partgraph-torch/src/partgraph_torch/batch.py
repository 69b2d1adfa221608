"""Several problems of one shape on a device: candidates in spatial order, so that runs of them fit into small boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs
import numpy as np
import torch
from torch import Tensor

from partgraph import Interval, Problem, Quadratic
from partgraph_torch.terms import Terms, terms_of


@final
@attrs.frozen(eq=False)
class Batch:
    """B problems with the same graph and the same numbers of candidates.

    Parts are padded to whole runs by copies of their last candidate, whose scores are -inf.

    Attributes
    ----------
    labels : list of Tensor
        For each part (B, K) int64, the label of each place in spatial order.
    scores : list of Tensor
        (B, K), every unary term included.
    positions : list of Tensor
        (B, K, D).
    anchors : list of Tensor
        For each edge (B, K, D): what stands for its first part.
    terms : list of Terms
        For each edge.
    magnitudes : Tensor
        (B, 3) float64, of each problem what `rounding` needs.
    """

    labels: list[Tensor]
    scores: list[Tensor]
    positions: list[Tensor]
    anchors: list[Tensor]
    terms: list[Terms]
    magnitudes: Tensor

    @classmethod
    def of(cls, problems: Sequence[Problem], run: int, device: torch.device, dtype: torch.dtype) -> Batch:
        """Move the problems to a device; `run` is the size of the largest boxes.

        In float32 coordinates are relative to the mean, and all terms are `Quadratic`, which that does not change.
        """
        graph = problems[0].graph
        count = range(len(graph.parts))
        shift = torch.zeros(len(problems), 1, problems[0].dimensions, dtype=torch.float64, device=device)
        if dtype is torch.float32:
            shift += _stacked(
                [np.mean([c.positions.mean(0) for c in p.candidates], 0) for p in problems], device
            )[:, None]
        positions = [_stacked([p.candidates[i].positions for p in problems], device) for i in count]
        scores = [_stacked([p.unary_scores(i) for p in problems], device) for i in count]
        labels = [_padded(_spatial_order(own), run) for own in positions]
        places = [own.clamp(min=0) for own in labels]
        anchors = []
        for e, (i, _) in enumerate(graph.edges):
            own = [p.anchor(e) for p in problems]
            anchors.append(_taken(_stacked(own, device) - shift, places[i]).to(dtype))
        magnitudes = torch.tensor([_magnitudes(p) for p in problems], dtype=torch.float64, device=device)
        taken = [
            torch.gather(own, 1, place).masked_fill(label < 0, -torch.inf).to(dtype)
            for own, place, label in zip(scores, places, labels, strict=True)
        ]
        moved = [_taken(own - shift, place).to(dtype) for own, place in zip(positions, places, strict=True)]
        terms = [terms_of([p.pairwise[e] for p in problems], moved[0]) for e in range(len(graph.edges))]
        return cls(places, taken, moved, anchors, terms, magnitudes)

    def rounding(self, score: Tensor) -> Tensor:
        """Return by how much sums of a configuration's terms near `score` (B,) differ at most, here and there: (B,).

        With u the unit roundoff, M the sum of |maxima| and G = |score| + M, the sizes of the summands of a
        configuration worth having add up to 2 G at most: n of them in any order, with differences of such sums, err by
        4 n G u. Where float32 rounds coordinates by delta <= 4 u (|x| + |offset| + |y|), a square w e^2 errs by
        2 sqrt(w 2 G) sqrt(w) delta + w delta^2; R is the sum over edges and axes of sqrt(w) (|x| + |offset| + |y|).
        Twice, since two configurations are compared.
        """
        n, most, reach = self.magnitudes.unbind(1)
        kind = torch.finfo(self.scores[0].dtype)
        g = score.abs().nan_to_num(posinf=0.0) + most
        return 2 * kind.eps * (4 * n * g + 8 * (2 * g).sqrt() * reach + 16 * kind.eps * reach**2) + kind.tiny


def only_quadratic(problem: Problem) -> bool:
    """Whether every term is `Quadratic`, whose rounding is known in float32 as well."""
    return all(isinstance(term, Quadratic) for term in problem.pairwise)


def boxes(points: Tensor, run: int) -> Interval:
    """Return the boxes (B, K / run, D) around runs of points (B, K, D)."""
    runs = points.unflatten(1, (-1, run))
    return Interval(runs.amin(2), runs.amax(2))


def _stacked(rows: Sequence[np.ndarray], device: torch.device) -> Tensor:
    return torch.as_tensor(np.stack(rows), dtype=torch.float64, device=device)


def _taken(rows: Tensor, places: Tensor) -> Tensor:
    """Return rows (B, K, D) at places (B, k): (B, k, D)."""
    return torch.gather(rows, 1, places[..., None].expand(-1, -1, rows.shape[2]))


def _padded(order: Tensor, run: int) -> Tensor:
    """Append -1 until whole runs are full."""
    return torch.nn.functional.pad(order, (0, -order.shape[1] % run), value=-1)


def _spatial_order(points: Tensor) -> Tensor:
    """Return for points (B, K, D) an order along Morton's curve: (B, K) int64."""
    dim = points.shape[2]
    bits = min(10, 62 // dim)
    lo, hi = points.amin(1, keepdim=True), points.amax(1, keepdim=True)
    cell = ((points - lo) / (hi - lo).clamp(min=torch.finfo(points.dtype).tiny)).clamp(0, 1)
    cell = (cell * (2**bits - 1)).nan_to_num(0.0).long()
    code = torch.zeros_like(cell[..., 0])
    for bit in range(bits):
        for d in range(dim):
            code |= ((cell[..., d] >> bit) & 1) << (bit * dim + d)
    return code.argsort(dim=1, stable=True)


def _magnitudes(problem: Problem) -> tuple[float, float, float]:
    """Return n, M and R for `Batch.rounding`."""
    most = sum(abs(float(problem.unary_scores(i).max())) for i in range(len(problem.sizes)))
    n = 4 + 2 * len(problem.sizes) + 2 * (problem.dimensions + 1) * len(problem.pairwise)
    reach = 0.0
    for e, (_, j) in enumerate(problem.graph.edges):
        x, y, term = problem.anchor(e), problem.candidates[j].positions, problem.pairwise[e]
        if isinstance(term, Quadratic):
            far = 2 * (np.abs(x).max() + np.abs(y).max()) + np.abs(term.offset)
            reach += float((np.sqrt(term.weight) * far).sum())
        else:
            most += max(0.0, float(term.bounds(Interval.hull(x), Interval.hull(y)).hi))
    return n, most, reach
