"""Evaluation: errors of every topology on held-out samples, joint by joint, beside the baselines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from partgraph.learning.batches import in_order
from partgraph.learning.dataset import Dataset, Sample, require_3d
from partgraph.learning.infer import Answer, Decoder
from partgraph.learning.model import Network
from partgraph.learning.results import Results, Split
from partgraph.metrics import aligned_distances, reconstruction_error, rooted_distances
from partgraph.solver import Status

CONSTANT, FLOOR = "constant mean pose", "perfect target"


@final
@attrs.frozen(eq=False)
class Evaluated:
    """What was found in one sample. Its image is left out: there may be a hundred thousand of them.

    Attributes
    ----------
    index : of the sample in the data set
    world, target, visible : the truth, see `Sample`
    labels : the sample's value in each of the data set's groupings
    answers : for each graph
    errors : for each graph, mm
    """

    index: int
    world: NDArray[np.float32]
    target: NDArray[np.float32]
    visible: NDArray[np.bool_]
    labels: Mapping[str, str]
    answers: dict[str, Answer]
    errors: dict[str, float]


def evaluate(
    network: Network,
    dataset: Dataset,
    decoder: Decoder,
    *,
    count: int | None = None,
    batch_size: int = 20,
    forward: Callable[[Tensor], Any] | None = None,
    advance: Callable[[int], None] = lambda done: None,
) -> list[Evaluated]:
    """Solve every sample over every graph.

    Parameters
    ----------
    count : how many samples, all when None
    forward : takes the place of the network's own, as `compiled` makes one
    advance : told how many more samples are done

    Raises
    ------
    MissingTruthError
        When a sample has no 3D truth.
    """
    evaluated: list[Evaluated] = []
    for samples, batch in in_order(dataset, batch_size, count):
        require_3d(samples, "evaluation")
        for sample, answers in zip(samples, decoder(network, batch.images, forward), strict=True):
            evaluated.append(_measured(dataset, len(evaluated), sample, answers))
        advance(len(samples))
    return evaluated


def _measured(dataset: Dataset, index: int, sample: Sample, answers: dict[str, Answer]) -> Evaluated:
    errors = {
        name: float(reconstruction_error(found.positions, sample.world)) for name, found in answers.items()
    }
    labels = dataset.labels(index)
    return Evaluated(index, sample.world, sample.target, sample.visible, labels, answers, errors)


def summarise(
    evaluated: Sequence[Evaluated],
    dataset: Dataset,
    constant: ArrayLike | None = None,
    about: Mapping[str, Any] | None = None,
) -> Results:
    """Results of `evaluate` with their baselines.

    Parameters
    ----------
    evaluated : at least one sample of the data set
    constant : (N, 3), the pose that ignores the image (see `mean_pose`); left out when None
    about : how the results were come by, plain values
    """
    if not evaluated:
        raise ValueError("there is nothing to summarise: no sample was evaluated")
    graphs = tuple(evaluated[0].answers)
    world = np.stack([one.world for one in evaluated])
    poses = {
        graph: np.stack([one.answers[graph].positions for one in evaluated]).astype(np.float64)
        for graph in graphs
    }
    if constant is not None:
        poses[CONSTANT] = np.broadcast_to(np.asarray(constant, np.float64), world.shape)
    poses[FLOOR] = np.stack([one.target for one in evaluated])
    return Results(
        methods=tuple(poses),
        graphs=graphs,
        parts=dataset.parts,
        aligned=np.stack([aligned_distances(own, world) for own in poses.values()], axis=1),
        rooted=np.stack([rooted_distances(own, world, dataset.root) for own in poses.values()], axis=1),
        visible=np.stack([one.visible for one in evaluated]),
        splits={name: _split(name, values, evaluated) for name, values in dataset.groupings.items()},
        clips=dataset.clips,
        seconds=_table(evaluated, lambda found: found.seconds),
        certified=_table(evaluated, lambda found: found.status is Status.OPTIMAL),
        gap=_table(evaluated, lambda found: found.upper_bound - found.score),
        pictures=hashlib.sha256(np.ascontiguousarray(world, "<f4").tobytes()).hexdigest()[:16],
        published=dataset.published,
        about=about or {},
    )


def _split(name: str, values: tuple[str, ...], evaluated: Sequence[Evaluated]) -> Split:
    return Split(values, np.array([values.index(one.labels[name]) for one in evaluated], np.intp))


def _table(evaluated: Sequence[Evaluated], value: Callable[[Answer], float]) -> np.ndarray:
    """(n, graphs) of a value of each answer."""
    return np.array([[value(found) for found in one.answers.values()] for one in evaluated])
