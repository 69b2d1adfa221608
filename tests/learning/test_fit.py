"""The training loop: learns, can be stopped at any time, and says when it fails."""

import json

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from partgraph.errors import PartGraphError  # noqa: E402
from partgraph.learning import fit as fit_module  # noqa: E402
from partgraph.learning.augment import Augmentation  # noqa: E402
from partgraph.learning.batches import collate  # noqa: E402
from partgraph.learning.checkpoint import state_path  # noqa: E402
from partgraph.learning.experiment import from_mapping  # noqa: E402
from partgraph.learning.fit import DivergenceError, fit  # noqa: E402
from partgraph.learning.log import LOG  # noqa: E402
from partgraph.learning.stage import StageError  # noqa: E402
from partgraph.learning.strict import ExperimentError  # noqa: E402


class Stop(Exception):
    pass


def short(experiment, **training):
    return attrs.evolve(experiment, training=attrs.evolve(experiment.training, **training))


def weights(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_learns(tmp_path, experiment):
    data = experiment.dataset("train")
    network = fit(experiment, data, tmp_path)
    assert not network.training
    batch = collate([data[k] for k in range(20)])
    untrained = experiment.build_network(data.parts)
    loss = experiment.build_loss()
    before = loss(untrained, untrained(batch.images), batch)["cells"]
    after = loss(network, network(batch.images), batch)["cells"]
    assert after.item() < 0.3 * before.item()


def test_one_step_lowers_the_loss_on_its_batch(tmp_path, experiment, monkeypatch):
    data = experiment.dataset("train")
    batch = collate([data[k] for k in range(8)])
    monkeypatch.setattr(fit_module, "shuffled", lambda *arguments: iter([batch]))
    one = short(experiment, steps=1, warmup=0, decay=0, learning_rate=1e-3)
    torch.manual_seed(one.seed)
    start = one.build_network(data.parts)
    loss = one.build_loss()
    before = sum(loss(start, start(batch.images), batch).values())
    network = fit(one, data, tmp_path)
    after = sum(loss(network, network(batch.images), batch).values())
    assert after.item() < before.item()


def test_same_seed_same_weights_other_seed_other_weights(tmp_path, experiment):
    experiment = short(experiment, steps=5)
    data = experiment.dataset("train")
    one, same, other = (
        weights(fit(attrs.evolve(experiment, seed=seed), data, tmp_path / str(k)))
        for k, seed in enumerate((1, 1, 2))
    )
    assert_equal(one, same)
    assert not torch.equal(one["scores.weight"], other["scores.weight"])


@pytest.mark.parametrize("stop", [1, 7, 10, 14, 19])
def test_interrupted_training_ends_bit_by_bit_as_uninterrupted(tmp_path, experiment, monkeypatch, stop):
    """Stopped at a step, between checkpoints or on one, while data, augmentation and rate are all at work."""
    experiment = attrs.evolve(
        short(experiment, steps=12, restarts=(3, 5), checkpoint=7, warmup=5, decay=8),
        augmentation=Augmentation(0.5, 20.0, 0.2, 0.2, 0.05, 0.3, 0.5),
    )
    data = experiment.dataset("train")
    whole = weights(fit(experiment, data, tmp_path / "whole"))

    def interrupt(progress):
        if progress.step == stop:
            raise Stop

    with pytest.raises(Stop):
        fit(experiment, data, tmp_path / "broken", report=interrupt, report_every=1)
    steps = []
    resumed = fit(
        experiment,
        data,
        tmp_path / "broken",
        report=lambda progress: steps.append(progress.step),
        report_every=1,
    )
    assert_equal(weights(resumed), whole)
    last_checkpoint = (stop - 1) // 7 * 7  # the report of a step comes before its checkpoint
    assert steps == list(range(last_checkpoint + 1, 21))


def test_finished_training_is_not_done_again(tmp_path, experiment):
    experiment = short(experiment, steps=6)
    data = experiment.dataset("train")
    first = weights(fit(experiment, data, tmp_path))
    told = []
    again = weights(fit(experiment, data, tmp_path, report=told.append))
    assert told == []
    assert_equal(first, again)


def test_training_can_be_lengthened(tmp_path, experiment):
    data = experiment.dataset("train")
    long = short(experiment, steps=14, decay=3, checkpoint=5)
    whole = weights(fit(long, data, tmp_path / "whole"))

    def interrupt(progress):
        if progress.step == 6:
            raise Stop

    with pytest.raises(Stop):
        fit(
            short(long, steps=12), data, tmp_path / "longer", report=interrupt, report_every=1
        )  # checkpoint at step 5
    assert_equal(weights(fit(long, data, tmp_path / "longer")), whole)


def test_progress_and_log(tmp_path, experiment):
    experiment = short(experiment, steps=10)
    told = []
    fit(experiment, experiment.dataset("train"), tmp_path, report=told.append, report_every=4)
    assert [(progress.step, progress.steps) for progress in told] == [(4, 10), (8, 10), (10, 10)]
    assert all(set(progress.terms) == {"cells", "offsets"} for progress in told)
    assert told[-1].terms["cells"] < told[0].terms["cells"]
    assert all(progress.rate > 0 for progress in told)
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert lines == [attrs.asdict(progress) for progress in told]


def test_learning_rate_of_the_schedule_is_used(tmp_path, experiment, monkeypatch):
    rates = []
    original = torch.optim.AdamW.step

    def step(self, *arguments):
        rates.append([group["lr"] for group in self.param_groups])
        return original(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    experiment = short(experiment, steps=12, warmup=4, decay=4, restarts=(3,))
    fit(experiment, experiment.dataset("train"), tmp_path)
    assert rates == [[experiment.training.rate(k)] for k in range(15)]


def test_gradients_are_clipped(tmp_path, experiment, monkeypatch):
    norms = []
    original = torch.optim.AdamW.step

    def step(self, *arguments):
        grads = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        norms.append(float(torch.linalg.vector_norm(torch.cat([grad.flatten() for grad in grads]))))
        return original(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    fit(short(experiment, steps=3, clip=1e-3), experiment.dataset("train"), tmp_path)
    assert norms == pytest.approx([1e-3] * 3, rel=1e-2)


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_with_a_message(tmp_path, toy, values, factor):
    values["loss"]["factor"] = factor
    experiment = from_mapping(values, "toy.toml")
    with pytest.raises(DivergenceError, match="at step 0; lower the learning rate") as caught:
        fit(experiment, experiment.dataset("train"), tmp_path)
    assert isinstance(caught.value, PartGraphError)
    assert isinstance(caught.value, FloatingPointError)
    assert not (state_path(tmp_path)).exists()


def test_divergence_keeps_the_checkpoint_from_before(tmp_path, toy, experiment, monkeypatch):
    data = experiment.dataset("train")
    calls = []

    def poisoned(self, network, outputs, batch):
        calls.append(None)
        value = network.offsets.square().sum()
        return {"only": value * (float("nan") if len(calls) == 10 else 1)}

    monkeypatch.setattr(toy.DotLoss, "__call__", poisoned)
    with pytest.raises(DivergenceError, match="step 9"):
        fit(short(experiment, checkpoint=4), data, tmp_path)
    network = experiment.build_network(data.parts)
    optimizer = torch.optim.AdamW(network.parameters())
    assert fit_module.load_state(tmp_path, network, optimizer) == 8
    assert all(bool(tensor.isfinite().all()) for tensor in network.state_dict().values())


def test_a_batch_larger_than_the_data(tmp_path, experiment):
    with pytest.raises(StageError, match=r"training: batches of 41 .* 40"):
        fit(short(experiment, batch=41), experiment.dataset("train"), tmp_path)


def test_a_damaged_checkpoint_stops_training(tmp_path, experiment):
    (state_path(tmp_path)).write_bytes(b"nonsense")
    with pytest.raises(ExperimentError, match="delete it to start anew"):
        fit(experiment, experiment.dataset("train"), tmp_path)
