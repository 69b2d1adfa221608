"""Batches of a data set, in an order that a seed and the number of steps decide."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs
import numpy as np
import torch

from partgraph.learning.dataset import Dataset, Sample
from partgraph.learning.model import Batch


def collate(samples: Sequence[Sample]) -> Batch:
    """Samples as one batch of tensors on the CPU."""
    images = torch.from_numpy(np.stack([sample.image for sample in samples]))
    return Batch(
        images=images.permute(0, 3, 1, 2).float().div_(255),
        target=torch.from_numpy(np.stack([sample.target for sample in samples])),
        visible=torch.from_numpy(np.stack([sample.visible for sample in samples])),
    )


def in_order(
    dataset: Dataset, batch_size: int, count: int | None = None
) -> Iterator[tuple[list[Sample], Batch]]:
    """Every sample once, or the first `count` of them, in the data set's order."""
    end = len(dataset) if count is None else min(count, len(dataset))
    for start in range(0, end, batch_size):
        samples = [dataset[index] for index in range(start, min(start + batch_size, end))]
        yield samples, collate(samples)


def shuffled(
    dataset: Dataset, batch_size: int, seed: int, first_step: int = 0, share: slice = slice(None)
) -> Iterator[Batch]:
    """Endless batches for training.

    The samples of step k depend on `seed` and k alone, so training that is resumed sees what it would have seen.

    Parameters
    ----------
    dataset : at least `batch_size` samples
    first_step : the step that the first batch is for
    share : which samples of each batch are wanted
    """
    count = len(dataset)
    if count < batch_size:
        raise ValueError(f"a batch of {batch_size} was asked for, but the data set has {count} samples")
    per_epoch = count // batch_size
    step = first_step
    while True:
        epoch, at = divmod(step, per_epoch)
        order = np.random.default_rng([seed, epoch]).permutation(count)
        for start in range(at * batch_size, per_epoch * batch_size, batch_size):
            own = order[start : start + batch_size][share]
            batch = collate([dataset[int(index)] for index in own])
            yield attrs.evolve(batch, samples=torch.from_numpy(own))
            step += 1


def ahead(batches: Iterator[Batch]) -> Generator[Batch]:
    """The same batches, each read by another thread while the one before is worked on."""
    with ThreadPoolExecutor(1) as executor:
        coming = executor.submit(next, batches)
        while True:
            batch, coming = coming.result(), executor.submit(next, batches)
            yield batch


def step_generator(seed: int, step: int) -> torch.Generator:
    """Randomness of one training step, independent of all steps before it."""
    return torch.Generator().manual_seed(
        int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)
    )
