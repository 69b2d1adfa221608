"""The structured hinge loss (section 2.5): the truth scores higher than every other configuration, by a margin.

Eq. 9 asks of every configuration phi that

    S(truth) > S(phi) + margin Delta(phi),

where Delta is the mean distance of its parts to their true positions. Minimised are the slacks

    xi(phi) = max(S(phi) + margin Delta(phi) - S(truth), 0)

of the K configurations that violate it most. Delta is a sum over the parts, so these are the K best of the same
problem with one more unary term for each part: the search is any solver's. A configuration found is a constant, and
its score a differentiable function of the network's scores, positions, anchors and weights: autograd does the rest.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, final

import attrs
import numpy as np
import torch
from attrs.validators import ge, gt, in_
from numpy.typing import NDArray
from torch import Tensor

from partgraph import plugins
from partgraph.candidates import Candidates
from partgraph.learning.dataset import MissingTruthError
from partgraph.learning.infer import graph_over
from partgraph.learning.loss import Loss
from partgraph.learning.model import Batch, Network
from partgraph.many import solve_many
from partgraph.potentials import EuclideanLoss
from partgraph.problem import Problem
from partgraph.solver import Solution, Solver, Status

_REDUCTIONS = {"mean": torch.mean, "sum": torch.sum, "max": torch.max}


class InexactWarning(UserWarning):
    """The configurations a loss was given are not proven to be those that violate it most."""


@final
@attrs.frozen
class StructuredHinge(Loss):
    """Slacks of the configurations that violate eq. 9 most; any network, graph and solver.

    The true positions are in general not those of candidates, so S(truth) is the score of candidates near them: of
    each part the best-scored one within `radius`, or the nearest one where none is. The nearest one is a worse choice:
    it is often the low-scored neighbour of the voxel that the network means, and asking it to win turns the unary
    scores upside down. Delta is always measured from the true positions themselves.

    Attributes
    ----------
    graph : topology by name, over the network's parts
    solver : by name, the default policy when None; one that is not exact is warned of
    n_best : K, how many violated configurations of each sample are asked for
    margin : score that a mean distance of one px is worth
    radius : px, see above; 0 always takes the nearest candidate. The default is one voxel of the small network
    unary_scale : "fixed" leaves out the component of the gradient along a common factor of the unary scores. All slacks
        fall when all scores shrink, which changes no answer; "free" lets them
    reduction : of the K slacks of a sample: the paper adds their gradients up, "sum"; "mean" is the same up to the
        learning rate, which then does not depend on K; "max" keeps the most violated configuration alone. Over
        samples the mean is taken
    """

    graph: str
    solver: str | None = None
    n_best: int = attrs.field(default=20, validator=gt(0))
    margin: float = attrs.field(default=1.0, validator=gt(0))
    radius: float = attrs.field(default=8.0, validator=ge(0))
    unary_scale: Literal["fixed", "free"] = attrs.field(default="fixed", validator=in_(("fixed", "free")))
    reduction: Literal["mean", "sum", "max"] = attrs.field(default="mean", validator=in_(tuple(_REDUCTIONS)))

    def check(self, parts: Sequence[str]) -> None:
        graph_over(parts, self.graph)
        if self.solver is not None:
            plugins.get("solver", self.solver)

    def __call__(self, network: Network, outputs: Any, batch: Batch) -> dict[str, Tensor]:
        targets = _targets(batch, network.parts)
        problems = network.problems(outputs, graph_over(network.parts, self.graph))
        numbers = [problem.detach() for problem in problems]
        solutions = self._search(
            [augmented(own, target, self.margin) for own, target in zip(numbers, targets, strict=True)]
        )
        hinges = [
            self._hinge(problem, target, truth_labels(own, target, self.radius), solution.labels)
            for problem, own, target, solution in zip(problems, numbers, targets, solutions, strict=True)
        ]
        return {"hinge": torch.stack(hinges).mean()}

    def _search(self, problems: Sequence[Problem]) -> list[Solution]:
        """The K best configurations of each problem, found by as many threads as torch has.

        Problems are independent and answers keep their order, so the number of threads changes nothing but the time.
        """
        name = plugins.default_solver(problems[0]) if self.solver is None else self.solver
        target = plugins.get("solver", name)
        solver: Solver = target() if isinstance(target, type) else target
        with ThreadPoolExecutor(max(1, min(torch.get_num_threads(), len(problems)))) as executor:
            solutions = solve_many(problems, solver, n_best=self.n_best, executor=executor)
        if not (solver.exact and all(solution.status is Status.OPTIMAL for solution in solutions)):
            warnings.warn(
                f"structured-hinge: {name} did not prove for every sample that its configurations are the "
                f"{self.n_best} most violated; their slacks are right, but higher ones may have been missed",
                InexactWarning,
                stacklevel=3,
            )
        return solutions

    def _hinge(
        self, problem: Problem, target: NDArray[np.float64], truth: np.ndarray, violators: np.ndarray
    ) -> Tensor:
        if self.unary_scale == "fixed":
            problem = _without_scale_gradient(problem, np.vstack([truth, violators]))
        slack = augmented(problem, target, self.margin).score(violators) - problem.score(truth)
        return _REDUCTIONS[self.reduction](slack.clamp(min=0))


def augmented(problem: Problem, target: NDArray[np.floating], margin: float = 1.0) -> Problem:
    """The problem of loss-augmented inference: its score is the problem's plus the margin times Delta.

    Parameters
    ----------
    problem : of arrays or tensors
    target : (N, D) float, length, the true positions
    margin : > 0, score of a mean distance of one unit of length
    """
    scale = margin / len(target)
    return attrs.evolve(
        problem,
        unary=[
            (*terms, EuclideanLoss(true, scale)) for terms, true in zip(problem.unary, target, strict=True)
        ],
    )


def truth_labels(problem: Problem, target: NDArray[np.floating], radius: float) -> NDArray[np.intp]:
    """The configuration that stands for the truth; forbidden candidates are never part of it.

    Parameters
    ----------
    problem : of arrays
    target : (N, D) float, length, the true positions
    radius : length; the best-scored candidate within it is taken, the nearest one where there is none

    Returns
    -------
    (N,) intp
    """
    labels = []
    for part, true in enumerate(target):
        scores = problem.unary_scores(part)
        distance = np.linalg.norm(problem.candidates[part].positions - true, axis=-1)
        distance[scores == -np.inf] = np.inf
        near = distance <= radius
        labels.append(np.argmax(np.where(near, scores, -np.inf)) if near.any() else np.argmin(distance))
    return np.array(labels, np.intp)


def _without_scale_gradient(problem: Problem, compared: np.ndarray) -> Problem:
    """The same problem of tensors, but a gradient of its scores has no component along their scale.

    Only differences of configurations matter, so the gradient g of the compared candidates' scores sums to zero over
    each part's, and multiplying all scores by a factor is a step along u, these scores less their mean over the part.
    The factor |u|.detach() / |u| is one, and its derivative turns g into g - (g.u) u / |u|^2.

    Parameters
    ----------
    compared : (M, N) int, all configurations that are scored
    """
    scores = [own.scores[np.unique(compared[:, part])] for part, own in enumerate(problem.candidates)]
    spread = torch.cat([own - own.mean() for own in scores]).norm()
    if not bool(spread > 0):
        return problem
    change = spread.detach() / spread - 1
    # A product with the scores themselves would give 0 * inf, no number, at forbidden candidates.
    return attrs.evolve(
        problem,
        candidates=[
            Candidates(own.positions, own.scores + change * own.scores.detach().nan_to_num(neginf=0))
            for own in problem.candidates
        ],
    )


def _targets(batch: Batch, parts: Sequence[str]) -> NDArray[np.float64]:
    """(B, N, 3) the true positions; every sample must have all of them."""
    targets = batch.target.detach().cpu().double().numpy()
    unknown = np.argwhere(~np.isfinite(targets).all(-1))
    if len(unknown):
        sample, part = unknown[0]
        raise MissingTruthError(
            f"structured-hinge needs the true 3D position of every part, but sample {sample} of the batch has none of "
            f"{parts[part]!r}; leave samples without 3D truth out of this stage"
        )
    return targets
