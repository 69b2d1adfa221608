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

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, final

import attrs
import numpy as np
import torch
from attrs.validators import ge, gt, in_
from numpy.typing import NDArray
from torch import Tensor

from partgraph import arrays, plugins
from partgraph.learning.infer import graph_over
from partgraph.learning.loss import Loss
from partgraph.learning.model import Batch, Network
from partgraph.learning.search import search
from partgraph.learning.violators import Violators
from partgraph.potentials import EuclideanLoss
from partgraph.problem import Problem, detached
from partgraph.scoring import picked

_REDUCTIONS = {"mean": torch.mean, "sum": torch.sum, "max": torch.max}


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
        samples the mean is taken; one without 3D truth, which has no margin, is left out
    reuse : how many times at most the configurations found for a sample are used again before the next search, while
        all of them are still violated; 0 always searches
    """

    graph: str
    solver: str | None = None
    n_best: int = attrs.field(default=20, validator=gt(0))
    margin: float = attrs.field(default=1.0, validator=gt(0))
    radius: float = attrs.field(default=8.0, validator=ge(0))
    unary_scale: Literal["fixed", "free"] = attrs.field(default="fixed", validator=in_(("fixed", "free")))
    reduction: Literal["mean", "sum", "max"] = attrs.field(default="mean", validator=in_(tuple(_REDUCTIONS)))
    reuse: int = attrs.field(default=0, validator=ge(0))

    def check(self, parts: Sequence[str]) -> None:
        graph_over(parts, self.graph)
        if self.solver is not None:
            plugins.get("solver", self.solver)

    @property
    def remembers(self) -> bool:
        return self.reuse > 0

    def __call__(self, network: Network, outputs: Any, batch: Batch) -> dict[str, Tensor]:
        return self.begin(network, outputs, batch)()

    def begin(self, network: Network, outputs: Any, batch: Batch) -> Callable[[], dict[str, Tensor]]:
        return self._begin(network, outputs, batch, Violators(0))

    def started(self) -> Loss:
        return _Remembering(self, Violators(self.reuse)) if self.reuse else self

    def counts(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        return {"hinge": _solid(batch).sum().float()}

    def _begin(
        self, network: Network, outputs: Any, batch: Batch, memory: Violators
    ) -> Callable[[], dict[str, Tensor]]:
        """Start the search for violators where memory has none; what is returned waits for it, and has gradients."""
        solid = torch.nonzero(_solid(batch)).flatten().tolist()
        every = network.problems(outputs, graph_over(network.parts, self.graph)) if solid else []
        targets = batch.target.detach().cpu().double().numpy()
        samples = [-1] * len(targets) if batch.samples is None else batch.samples.tolist()
        asked = [
            _Asked(self, every[k], own, targets[k], samples[k])
            for k, own in zip(solid, detached(every[k] for k in solid), strict=True)
        ]
        unknown = [own for own in asked if not own.recall(memory)]
        wait = search([own.augmented for own in unknown], self.solver, self.n_best)

        def finish() -> dict[str, Tensor]:
            for own, solution in zip(unknown, wait(), strict=True):
                own.found(solution.labels, memory)
            if not asked:  # and yet something that has a gradient
                return {"hinge": 0 * torch.stack([own.sum() for own in network.heads()]).sum()}
            return {"hinge": torch.stack([own.hinge() for own in asked]).mean()}

        return finish


@final
class _Asked:
    """One sample's part in the loss: first its violators are found, then its hinge has gradients."""

    def __init__(
        self,
        options: StructuredHinge,
        problem: Problem,
        numbers: Problem,
        target: NDArray[np.float64],
        sample: int,
    ) -> None:
        self._options, self._problem, self._numbers = options, problem, numbers
        self._target, self._sample = target, sample
        self.augmented = augmented(numbers, target, options.margin)
        self._truth = truth_labels(numbers, target, options.radius)
        self._violators: NDArray[np.intp] = np.empty((0, len(target)), np.intp)

    def recall(self, memory: Violators) -> bool:
        """Whether the violators that memory has are all violated still, and are taken."""
        remembered = memory.recall(self._sample, self._numbers)
        if remembered is None:
            return False
        if not (self.augmented.score(remembered) > self._numbers.score(self._truth)).all():
            return False
        memory.used(self._sample)
        self._violators = remembered
        return True

    def found(self, labels: NDArray[np.intp], memory: Violators) -> None:
        """Take what a search found."""
        self._violators = labels
        if memory.reuse:
            memory.remember(self._sample, self._numbers, labels)

    def hinge(self) -> Tensor:
        """The reduced slacks of the violators."""
        options, problem = self._options, self._problem
        compared = np.vstack([self._truth, self._violators])
        scores = problem.score(compared)
        if options.unary_scale == "fixed":
            scores = _without_scale_gradient(problem, compared, scores)
        away = problem.positions(self._violators) - scores.new_tensor(self._target)
        distance = arrays.sqrt((away**2).sum(-1)).mean(-1)
        slack = scores[1:] + options.margin * distance - scores[0]
        return _REDUCTIONS[options.reduction](slack.clamp(min=0))


@final
class _Remembering(Loss):
    """The hinge as one run of training uses it, with the violators that it found."""

    def __init__(self, options: StructuredHinge, memory: Violators) -> None:
        self._options, self._memory = options, memory

    @property
    def graph(self) -> str | None:
        return self._options.graph

    def __call__(self, network: Network, outputs: Any, batch: Batch) -> dict[str, Tensor]:
        return self.begin(network, outputs, batch)()

    def begin(self, network: Network, outputs: Any, batch: Batch) -> Callable[[], dict[str, Tensor]]:
        return self._options._begin(network, outputs, batch, self._memory)

    def counts(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        return self._options.counts(network, batch)

    def state(self) -> dict[str, Tensor]:
        return self._memory.state()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self._memory.restore(state)


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


def _without_scale_gradient(problem: Problem, compared: NDArray[np.intp], scores: Tensor) -> Tensor:
    """The same scores of configurations, but their differences' gradients have no component along the unary scale.

    Only differences of configurations matter, so the gradient g of the compared candidates' scores sums to zero over
    each part's, and multiplying all scores by a factor is a step along u, these scores less their mean over the part.
    The factor |u|.detach() / |u| is one, and its derivative turns g into g - (g.u) u / |u|^2.

    Parameters
    ----------
    problem : of tensors
    compared : (M, N) int, all configurations that are scored
    scores : (M,)
    """
    chosen = picked([own.scores for own in problem.candidates], compared)
    number = compared.shape[1]
    _, first = np.unique(compared * number + np.arange(number), return_index=True)  # of each candidate, once
    part = torch.from_numpy(first % number).to(chosen.device)
    own = chosen.flatten()[torch.from_numpy(first).to(chosen.device)]
    same = (part == part[:, None]).to(own)
    spread = (own - same @ own / same.sum(1)).norm()
    if not bool(spread > 0):
        return scores
    change = spread.detach() / spread - 1
    # Not of a forbidden candidate: 0 * inf is no number.
    return scores + change * chosen.detach().sum(1).nan_to_num(neginf=0)


def _solid(batch: Batch) -> Tensor:
    """(B,) bool: of which samples every part's true 3D position is known."""
    return batch.target.isfinite().all(-1).all(-1)
