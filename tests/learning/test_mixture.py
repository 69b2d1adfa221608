"""The data set `mixture`: shares that are kept, an order that a seed decides, and what has no depth."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("cattrs")

from partgraph import plugins  # noqa: E402
from partgraph.learning.baselines import first_poses  # noqa: E402
from partgraph.learning.batches import shuffled  # noqa: E402
from partgraph.learning.calibrate import pairwise_scales, pairwise_weights  # noqa: E402
from partgraph.learning.dataset import MissingTruthError, require_3d  # noqa: E402
from partgraph.learning.evaluate import evaluate  # noqa: E402
from partgraph.learning.experiment import Choice, from_mapping  # noqa: E402
from partgraph.learning.infer import Decoder  # noqa: E402
from partgraph.learning.mixture import Member, Mixture, _apportion  # noqa: E402
from partgraph.learning.strict import ExperimentError  # noqa: E402
from partgraph.learning.train import train  # noqa: E402

pytestmark = pytest.mark.usefixtures("toy")


def mixture(*members, **options):
    """Of (share, options of dots)."""
    return Mixture(tuple(Member(Choice("dots", own), share) for share, own in members), **options)


SOLID, FLAT = {"count": 8}, {"count": 5, "flat": True}


def test_it_is_registered_and_read_from_a_file():
    assert plugins.get("dataset", "mixture") is Mixture
    options = {
        "seed": 3,
        "members": [
            {"share": 3, "dataset": {"name": "dots", "count": 6}},
            {"share": 1, "dataset": {"name": "dots", "count": 2, "flat": True}},
        ],
    }
    built = Choice("mixture", options).build("dataset")
    assert len(built) == 8
    assert sum(not sample.is_3d for sample in built) == 2
    assert built.groups == ("wide", "tall")
    assert built.parts == built._datasets[0].parts


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"members": []}, "members"),
        ({"members": [{"dataset": {"name": "dots"}, "share": 0}]}, "share"),
        ({"members": [{"share": 1}]}, "dataset: is missing"),
        ({"members": [{"dataset": {"name": "dots"}, "weight": 2}]}, "no such key: weight"),
        ({"members": [{"dataset": {"name": "dots"}}], "count": 0}, "count"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(ExperimentError, match=said):
        Choice("mixture", options).build("dataset")


def test_by_default_every_sample_is_shown():
    data = mixture((1, SOLID), (1, FLAT))
    assert len(data) == 16
    solid = [s for s in data if s.is_3d]
    assert len(solid) == 8
    assert len({sample.image.tobytes() for sample in solid}) == 8
    flat = [sample.image.tobytes() for sample in data if not sample.is_3d]
    assert len(flat) == 8
    assert len(set(flat)) == 5
    assert max(flat.count(own) for own in flat) == 2


@given(
    shares=st.lists(st.floats(0.01, 10), min_size=1, max_size=4),
    count=st.integers(1, 300),
)
def test_shares_are_kept_to_a_sample(shares, count):
    exact = np.array(shares) / np.sum(shares)
    numbers = _apportion(exact, count)
    assert numbers.sum() == count
    assert (np.abs(numbers - exact * count) < 1 + 1e-6).all()


def test_the_seed_alone_decides_the_order():
    def order(seed):
        return mixture((2, SOLID), (1, FLAT), seed=seed, count=30)._order.tolist()

    assert order(1) == order(1)
    assert len({str(order(seed)) for seed in range(4)}) == 4
    assert sorted(order(0)) != order(0)


def test_members_are_interleaved_in_batches():
    data = mixture((1, {"count": 40}), (1, {"count": 40, "flat": True}))
    for batch in itertools.islice(shuffled(data, 16, seed=0), 5):
        known = batch.target.isfinite().all((1, 2))
        assert 0 < known.sum() < 16
        assert batch.target[..., :2].isfinite().all()


def test_indices_are_those_of_a_sequence():
    data = mixture((1, SOLID), count=3)
    np.testing.assert_array_equal(data[-1].image, data[2].image)
    for index in (3, -4):
        with pytest.raises(IndexError, match=f"sample {index} of 3"):
            data[index]


def test_members_must_show_the_same_object(monkeypatch):
    with pytest.raises(ExperimentError, match=r"one size; found .* px .*give all members the same size"):
        list(mixture((1, SOLID), (1, {"count": 5, "size": 16})))
    from partgraph_toy import Dots

    class Other(Dots):
        root = 1

    get = plugins.get
    monkeypatch.setattr(plugins, "get", lambda kind, name: Other if name == "other" else get(kind, name))
    other = Mixture((Member(Choice("dots", SOLID)), Member(Choice("other", {}))))
    with pytest.raises(ExperimentError, match="'other' and 'dots' differ in root"):
        len(other)


def test_an_empty_member_is_said_but_the_skeleton_needs_no_samples(monkeypatch):
    from partgraph_toy import PARTS, Dots

    monkeypatch.setattr(Dots, "__len__", lambda self: 0 if self.flat else self.count)
    data = mixture((1, SOLID), (1, FLAT))
    assert data.parts == PARTS
    with pytest.raises(ExperimentError, match="'dots' has no samples; leave it out"):
        len(data)


def test_preparing_is_its_members(monkeypatch):
    from partgraph_toy import Dots

    prepared = []
    monkeypatch.setattr(Dots, "pending", lambda self: 3)
    monkeypatch.setattr(
        Dots, "prepare", lambda self, workers, advance: (prepared.append(workers), advance(3))
    )
    data, told = mixture((1, SOLID), (1, FLAT)), []
    assert data.pending() == 6
    data.prepare(2, told.append)
    assert prepared == [2, 2]
    assert told == [3, 3]


# What has no depth is for training only.


def test_samples_know_whether_they_have_depth():
    data = mixture((1, FLAT))
    require_3d(mixture((1, SOLID)), "anything")
    with pytest.raises(
        MissingTruthError, match=r"anything needs the 3D position .*group '(wide|tall)' without"
    ):
        require_3d(data, "anything")


def test_evaluation_and_calibration_refuse_samples_without_depth(experiment):
    network = experiment.build_network(mixture((1, SOLID)).parts).eval()
    decoder = Decoder.of(experiment.evaluation, network.parts)
    data = mixture((1, SOLID), (1, FLAT))
    with pytest.raises(MissingTruthError, match="evaluation needs"):
        evaluate(network, data, decoder)
    with pytest.raises(MissingTruthError, match="calibration needs"):
        pairwise_weights(network, data)
    with pytest.raises(MissingTruthError, match="calibration needs"):
        pairwise_scales(network, data, decoder.graphs, experiment.evaluation.solver)


def test_validation_without_depth_is_refused_before_training(values, tmp_path):
    class Quiet:
        def preparing(self, what, total):
            return lambda made: None

        def training(self, progress):
            raise AssertionError("nothing is trained")

    values["data"]["validation"]["flat"] = True
    with pytest.raises(MissingTruthError, match="calibration needs"):
        train(from_mapping(values, "toy.toml"), tmp_path, Quiet())
    assert not list(tmp_path.glob("*.safetensors"))


def test_the_mean_pose_leaves_them_out():
    world, target = first_poses(mixture((1, SOLID), (1, FLAT)))
    assert world.shape == target.shape == (8, 4, 3)
    assert np.isfinite(world).all()
    assert np.isfinite(target).all()
    with pytest.raises(MissingTruthError, match="mean pose needs training samples with 3D truth; found none"):
        first_poses(mixture((1, FLAT)))
