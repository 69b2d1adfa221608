"""Images to poses: the network's problems, solved over one or several graphs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from partgraph import plugins
from partgraph.graph import Graph
from partgraph.graph_files import find_graph
from partgraph.learning.displacements import Displacements
from partgraph.learning.experiment import Evaluation
from partgraph.learning.graph_names import shown
from partgraph.learning.model import Network
from partgraph.learning.search import solver_of
from partgraph.learning.strict import ExperimentError
from partgraph.many import solve_many
from partgraph.problem import Problem, detached
from partgraph.solver import Solution, Status, solve


@final
@attrs.frozen(eq=False)
class Answer:
    """The best configuration found for one image over one graph.

    Attributes
    ----------
    positions : (N, 3) float64, px of the crop
    score, upper_bound : of the configuration, and of any
    status : whether it is proven to be the best, and if not why
    seconds : the solver's time, building included; of problems that were solved together, each one's share
    """

    positions: NDArray[np.float64]
    score: float
    upper_bound: float
    status: Status
    seconds: float


@final
@attrs.frozen
class Decoder:
    """Graphs by name, and how problems over them are made and solved.

    Attributes
    ----------
    graphs : topologies over the network's parts
    pairwise_scale : for each, the factor on the pairwise weights; 1 where none is given
    solver : by name, the default policy when None
    displacements : put in place of the offsets that the network expects, with weights of their own; none when None
    flip : order of the parts after mirroring; with it, scores are averaged with those of mirrored images
    """

    graphs: Mapping[str, Graph]
    pairwise_scale: Mapping[str, float] = attrs.field(factory=dict)
    solver: str | None = None
    displacements: Displacements | None = None
    flip: Sequence[int] | None = None

    @classmethod
    def of(cls, evaluation: Evaluation, parts: Sequence[str], flip: Sequence[int] | None = None) -> Decoder:
        """The decoder of an experiment; graphs are called as `shown` says.

        Parameters
        ----------
        flip : order of the parts after mirroring, where it is known

        Raises
        ------
        ExperimentError
            When a graph is not over these parts, in their order, or images are to be mirrored and `flip` is not known.
        """
        called = shown((*evaluation.graphs, *evaluation.pairwise_scale))
        graphs = {called[name]: graph_over(parts, name) for name in evaluation.graphs}
        if evaluation.solver is not None:
            plugins.get("solver", evaluation.solver)
        scales = {called[name]: scale for name, scale in evaluation.pairwise_scale.items()}
        if evaluation.mirror and flip is None:
            raise ExperimentError(
                "evaluation.mirror: which parts change places in a mirrored image was not stored with these weights; "
                "leave it out, or train the network anew"
            )
        return cls(graphs, scales, evaluation.solver, flip=flip if evaluation.mirror else None)

    @torch.inference_mode()
    def __call__(
        self, network: Network, images: Tensor, forward: Callable[[Tensor], Any] | None = None
    ) -> list[dict[str, Answer]]:
        """For each of the images (B, 3, S, S), the answer over every graph; `forward` is the network's by default."""
        forward = forward or network
        outputs = forward(images)
        if self.flip is not None:
            outputs = network.averaged(outputs, forward(images.flip(3)), self.flip)
        answers: list[dict[str, Answer]] = [{} for _ in images]
        for name, graph in self.graphs.items():
            scale = self.pairwise_scale.get(name, 1.0)
            problems = network.problems(outputs, graph, pairwise_scale=scale)
            if self.displacements is not None:
                problems = [self.displacements.impose(problem, scale) for problem in detached(problems)]
            for own, found in zip(answers, answers_of(problems, self.solver), strict=True):
                own[name] = found
        return answers


def graph_over(parts: Sequence[str], name: str) -> Graph:
    """The graph of that name or in that file, if it is over these parts in their order; else an `ExperimentError`."""
    graph = find_graph(name)
    if tuple(graph.parts) != tuple(parts):
        raise ExperimentError(
            f"graph {name!r} couples the parts {', '.join(graph.parts)}, but the network scores "
            f"{', '.join(parts)}; choose a graph over these, in their order"
        )
    return graph


def answers_of(problems: Sequence[Problem], solver: str | None) -> list[Answer]:
    """Solve problems of tensors: one by one, or together by a solver with a `batch_size`."""
    numbers = detached(problems)
    chosen = None if solver is None else solver_of(solver)
    if chosen is not None and chosen.batch_size > 1:
        started = time.perf_counter()
        solutions = solve_many(numbers, chosen)
        share = (time.perf_counter() - started) / max(1, len(numbers))
        return [_answer(*pair, share) for pair in zip(numbers, solutions, strict=True)]
    answers = []
    for problem in numbers:
        started = time.perf_counter()
        solution = solve(problem, chosen)
        answers.append(_answer(problem, solution, time.perf_counter() - started))
    return answers


def _answer(problem: Problem, solution: Solution, seconds: float) -> Answer:
    return Answer(
        positions=np.asarray(problem.positions(solution.labels[0]), np.float64),
        score=float(solution.scores[0]),
        upper_bound=float(solution.upper_bound),
        status=solution.status,
        seconds=seconds,
    )
