"""An update in half precision learns, one in parts has the gradient of the whole, an overflow changes nothing."""

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from partgraph.learning.augment import Augmentation  # noqa: E402
from partgraph.learning.batches import collate  # noqa: E402
from partgraph.learning.experiment import from_mapping  # noqa: E402
from partgraph.learning.fit import fit  # noqa: E402
from partgraph.learning.stage import StageError  # noqa: E402
from partgraph.learning.strict import ExperimentError  # noqa: E402
from partgraph.learning.update import Update  # noqa: E402


class Stop(Exception):
    pass


def short(experiment, **training):
    return attrs.evolve(experiment, training=attrs.evolve(experiment.training, **training))


def weights(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_learns_what_full_precision_does(tmp_path, toy, experiment, monkeypatch, precision):
    seen = set()
    original = toy.DotNetwork.centers

    def forward(self, images):
        scores = self.scores(images)
        seen.add(scores.dtype)
        return toy.Outputs(scores.flatten(2).float())

    monkeypatch.setattr(toy.DotNetwork, "forward", forward)
    data = experiment.dataset("train")
    batch = collate([data[k] for k in range(20)])
    loss = experiment.build_loss()
    errors = {}
    for own in ("float32", precision):
        network = fit(short(experiment, steps=60, precision=own), data, tmp_path / own)
        assert seen == {getattr(torch, own)}
        seen.clear()
        assert all(tensor.dtype == torch.float32 for tensor in network.state_dict().values())
        errors[own] = loss(network, network(batch.images), batch)["cells"].item()
        seen.clear()
    untrained = experiment.build_network(data.parts)
    before = loss(untrained, untrained(batch.images), batch)["cells"].item()
    assert errors["float32"] < 0.3 * before
    assert errors[precision] == pytest.approx(errors["float32"], rel=0.05)
    assert original is toy.DotNetwork.centers


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("accumulate", [1, 4])
def test_interrupted_training_ends_bit_by_bit_as_uninterrupted(tmp_path, experiment, precision, accumulate):
    experiment = attrs.evolve(
        short(experiment, steps=9, checkpoint=4, precision=precision, accumulate=accumulate),
        augmentation=Augmentation(0.5, 20.0, 0.2, 0.2, 0.05, 0.3, 0.5),
    )
    data = experiment.dataset("train")
    whole = weights(fit(experiment, data, tmp_path / "whole"))

    def interrupt(progress):
        if progress.step == 6:
            raise Stop

    with pytest.raises(Stop):
        fit(experiment, data, tmp_path / "broken", report=interrupt, report_every=1)
    for name, tensor in weights(fit(experiment, data, tmp_path / "broken")).items():
        assert torch.equal(tensor, whole[name]), name


def update_of(experiment, dtype=torch.float32, **training):
    """AdamW turns the rounding of small gradients into whole steps, so updates are compared in float64."""
    torch.manual_seed(0)
    experiment = short(experiment, **training)
    data = experiment.dataset("train")
    network = experiment.build_network(data.parts).to(dtype)
    network.forward = lambda images: Outputs(network.scores(images).flatten(2).to(dtype))
    batch = collate([data[k] for k in range(8)])
    batch = attrs.evolve(batch, images=batch.images.to(dtype), target=batch.target.to(dtype))
    return network, Update(network, experiment.stages()[0]), batch


@attrs.frozen
class Outputs:
    scores: torch.Tensor


@pytest.mark.parametrize("accumulate", [2, 4, 8])
def test_a_batch_in_parts_makes_the_update_of_the_whole(experiment, accumulate):
    whole, update, batch = update_of(experiment, torch.float64)
    parted, in_parts, _ = update_of(experiment, torch.float64, accumulate=accumulate)
    for _ in range(5):
        one, other = update(batch, 0.01), in_parts(batch, 0.01)
        assert one == pytest.approx(other, rel=1e-9)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(parted.state_dict()[name], tensor, rtol=1e-9, atol=1e-9, msg=name)


def test_parts_weigh_by_what_counts_in_them(toy, experiment, monkeypatch):
    """A mean over the dots that are seen, of which parts of a batch have more or fewer."""

    def mean_of_seen(self, network, outputs, batch):
        error = network.offset_residuals(outputs, batch.target).abs().mean((2, 3))
        return {"offsets": (error * batch.visible).sum() / batch.visible.sum().clamp(min=1)}

    def counts(self, network, batch):
        return {"offsets": batch.visible.sum().double()}

    monkeypatch.setattr(toy.DotLoss, "__call__", mean_of_seen)
    whole, update, batch = update_of(experiment, torch.float64)
    batch.visible[:2] = False  # nothing at all in the first of four parts
    batch.visible[2, 1:] = False
    _, by_samples, _ = update_of(experiment, torch.float64, accumulate=4)
    expected = update(batch, 0.01)
    assert by_samples(batch, 0.01)["offsets"] != pytest.approx(expected["offsets"], rel=1e-3)
    monkeypatch.setattr(toy.DotLoss, "counts", counts)
    parted, in_parts, _ = update_of(experiment, torch.float64, accumulate=4)
    assert in_parts(batch, 0.01) == pytest.approx(expected, rel=1e-9)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(parted.state_dict()[name], tensor, rtol=1e-9, atol=1e-9, msg=name)


def test_gradients_that_overflow_change_no_weight(experiment, monkeypatch):
    """Scaling begins at 65536; the step is left out and the scale halved."""
    network, update, batch = update_of(experiment, precision="float16")
    before, scale = weights(network), update.state()["scale"]
    network.offsets.register_hook(lambda gradient: gradient * float("inf"))
    update(batch, 0.01)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert update.state()["scale"] == scale / 2


def test_the_scale_is_restored(experiment):
    _, update, batch = update_of(experiment, precision="float16")
    update.restore({"scale": torch.tensor(1024.0), "_growth_tracker": torch.tensor(7)})
    update(batch, 0.01)
    assert update.state() == {"scale": torch.tensor(1024.0), "_growth_tracker": torch.tensor(8)}
    update.restore({})  # of a checkpoint in another precision
    assert update.state()["scale"] == 1024
    assert update_of(experiment)[1].state() == {}


def test_parts_must_be_equal(tmp_path, experiment):
    with pytest.raises(StageError, match="batch of 8 cannot be accumulated in 3 equal parts"):
        fit(short(experiment, accumulate=3), experiment.dataset("train"), tmp_path)
    with pytest.raises(ValueError, match="3 equal parts"):
        update_of(experiment)[2].split(3)


def test_an_unknown_precision_names_its_key(toy, values):
    values["training"]["precision"] = "float8"
    with pytest.raises(
        ExperimentError, match=r"training.precision.*'float32', 'bfloat16', 'float16'.*'float8'"
    ):
        from_mapping(values, "toy.toml")
