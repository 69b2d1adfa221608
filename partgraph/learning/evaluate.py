"""Evaluation: reconstruction errors of every topology on held-out samples, beside the baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import final

import attrs
import numpy as np
from numpy.typing import ArrayLike

from partgraph.learning.batches import in_order
from partgraph.learning.dataset import Dataset, Sample, require_3d
from partgraph.learning.infer import Answer, Decoder
from partgraph.learning.model import Network
from partgraph.learning.results import Results
from partgraph.metrics import reconstruction_error
from partgraph.solver import Status

CONSTANT, FLOOR = "constant mean pose", "perfect target"


@final
@attrs.frozen(eq=False)
class Evaluated:
    """One sample with what was found in it.

    Attributes
    ----------
    sample : image and truth
    answers : for each graph
    errors : for each graph, mm
    """

    sample: Sample
    answers: dict[str, Answer]
    errors: dict[str, float]


def evaluate(
    network: Network,
    dataset: Dataset,
    decoder: Decoder,
    *,
    count: int | None = None,
    batch_size: int = 20,
    advance: Callable[[int], None] = lambda done: None,
) -> list[Evaluated]:
    """Solve every sample over every graph.

    Parameters
    ----------
    count : how many samples, all when None
    advance : told how many more samples are done

    Raises
    ------
    MissingTruthError
        When a sample has no 3D truth.
    """
    evaluated = []
    for samples, batch in in_order(dataset, batch_size, count):
        require_3d(samples, "evaluation")
        for sample, answers in zip(samples, decoder(network, batch.images), strict=True):
            errors = {
                name: float(reconstruction_error(found.positions, sample.world))
                for name, found in answers.items()
            }
            evaluated.append(Evaluated(sample, answers, errors))
        advance(len(samples))
    return evaluated


def summarise(
    evaluated: list[Evaluated], groups: tuple[str, ...], constant: ArrayLike | None = None
) -> Results:
    """Results of `evaluate` with their baselines.

    Parameters
    ----------
    evaluated : at least one sample
    groups : every group a table shows
    constant : (N, 3), the pose that ignores the image (see `mean_pose`); left out when None
    """
    if not evaluated:
        raise ValueError("there is nothing to summarise: no sample was evaluated")
    graphs = tuple(evaluated[0].answers)
    world = np.stack([one.sample.world for one in evaluated])
    columns = {name: np.array([one.errors[name] for one in evaluated]) for name in graphs}
    if constant is not None:
        columns[CONSTANT] = reconstruction_error(np.asarray(constant)[None], world)
    columns[FLOOR] = reconstruction_error(np.stack([one.sample.target for one in evaluated]), world)
    return Results(
        methods=tuple(columns),
        groups=groups,
        errors=np.column_stack(list(columns.values())),
        group=np.array([groups.index(one.sample.group) for one in evaluated]),
        graphs=graphs,
        seconds=_table(evaluated, lambda found: found.seconds),
        certified=_table(evaluated, lambda found: found.status is Status.OPTIMAL),
        gap=_table(evaluated, lambda found: found.upper_bound - found.score),
    )


def _table(evaluated: list[Evaluated], value: Callable[[Answer], float]) -> np.ndarray:
    """(n, graphs) of a value of each answer."""

    def rows() -> Iterator[list[float]]:
        for one in evaluated:
            yield [value(found) for found in one.answers.values()]

    return np.array(list(rows()))
