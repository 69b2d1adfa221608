"""Batches: what a step sees depends on seed and step alone."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from partgraph.learning.batches import ahead, collate, in_order, shuffled, step_generator  # noqa: E402
from partgraph.learning.dataset import Dataset, Sample  # noqa: E402


class Numbered(Dataset):
    """Sample k says k in every field."""

    parts, limbs, flip, root, groups = ("a", "b"), (("a", "b"),), (1, 0), 0, ("only",)

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return Sample(
            image=np.full((4, 4, 3), index, np.uint8),
            target=np.full((2, 3), index, np.float32),
            world=np.full((2, 3), index, np.float32),
            visible=np.array([True, index % 2 == 0]),
            group="only",
        )


def indices(batch):
    return batch.target[:, 0, 0].int().tolist()


def test_collate_scales_images_and_keeps_rows():
    random = np.random.default_rng(0)
    samples = [
        Sample(
            random.integers(0, 256, (5, 5, 3)).astype(np.uint8),
            random.random((2, 3)).astype(np.float32),
            np.zeros((2, 3), np.float32),
            random.random(2) < 0.5,
            "g",
        )
        for _ in range(3)
    ]
    batch = collate(samples)
    assert batch.images.shape == (3, 3, 5, 5)
    assert batch.images.dtype == torch.float32
    for row, sample in enumerate(samples):
        np.testing.assert_allclose(batch.images[row].permute(1, 2, 0), sample.image / 255, atol=1e-7)
        np.testing.assert_array_equal(batch.target[row], sample.target)
        np.testing.assert_array_equal(batch.visible[row], sample.visible)


def test_collate_copies():
    sample = Numbered(3)[2]
    batch = collate([sample])
    batch.images.zero_()
    batch.target.zero_()
    assert (sample.target == 2).all()
    assert (sample.image == 2).all()


@given(count=st.integers(0, 20), size=st.integers(1, 7), asked=st.none() | st.integers(0, 30))
def test_in_order_gives_every_sample_once(count, size, asked):
    seen = []
    for samples, batch in in_order(Numbered(count), size, asked):
        assert 1 <= len(samples) <= size
        assert indices(batch) == [int(sample.world[0, 0]) for sample in samples]
        seen += indices(batch)
    assert seen == list(range(count if asked is None else min(asked, count)))


@settings(deadline=None)
@given(count=st.integers(1, 17), size=st.integers(1, 17), seed=st.integers(0, 5), first=st.integers(0, 40))
def test_a_resumed_run_sees_what_it_would_have_seen(count, size, seed, first):
    if size > count:
        size = count
    data = Numbered(count)
    whole = [indices(batch) for batch in itertools.islice(shuffled(data, size, seed), first + 6)]
    resumed = [indices(batch) for batch in itertools.islice(shuffled(data, size, seed, first), 6)]
    assert resumed == whole[first:]


@settings(deadline=None)
@given(count=st.integers(1, 17), size=st.integers(1, 17), seed=st.integers(0, 5))
def test_each_epoch_sees_every_sample_at_most_once(count, size, seed):
    size = min(size, count)
    per_epoch = count // size
    batches = itertools.islice(shuffled(Numbered(count), size, seed), 3 * per_epoch)
    steps = [indices(batch) for batch in batches]
    assert all(len(step) == size for step in steps)
    for epoch in range(3):
        seen = list(itertools.chain(*steps[epoch * per_epoch : (epoch + 1) * per_epoch]))
        assert len(seen) == len(set(seen)) == per_epoch * size


def test_epochs_and_seeds_are_shuffled_differently():
    def order(seed, first):
        return indices(next(shuffled(Numbered(50), 50, seed, first)))

    assert len({tuple(order(seed, first)) for seed in range(3) for first in range(3)}) == 9
    assert order(0, 0) != list(range(50))


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(ValueError, match="batch of 5 was asked for, but the data set has 4"):
        next(shuffled(Numbered(4), 5, 0))


def test_step_generators_depend_on_seed_and_step():
    def draw(seed, step):
        return torch.rand(4, generator=step_generator(seed, step)).tolist()

    assert draw(1, 2) == draw(1, 2)
    assert len({tuple(draw(seed, step)) for seed in range(4) for step in range(4)}) == 16


def test_shares_make_up_the_batch():
    data = Numbered(20)
    whole, *shares = (next(shuffled(data, 6, 1, 2, part)) for part in (slice(None), slice(0, 3), slice(3, 6)))
    assert indices(shares[0]) + indices(shares[1]) == indices(whole)
    assert whole.samples.tolist() == indices(whole)


def test_batches_read_ahead_are_the_same_and_errors_come_in_their_place():
    def batches():
        yield from itertools.islice(shuffled(Numbered(20), 6, 1), 3)
        raise OSError("the disk is gone")

    read = ahead(batches())
    expected = itertools.islice(shuffled(Numbered(20), 6, 1), 3)
    assert [indices(next(read)) for _ in range(3)] == [indices(batch) for batch in expected]
    with pytest.raises(OSError, match="disk is gone"):
        next(read)
