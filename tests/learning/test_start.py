"""Training starts from fresh weights, or from those of another network as far as they fit."""

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from partgraph import plugins  # noqa: E402
from partgraph.errors import PartGraphError  # noqa: E402
from partgraph.learning.checkpoint import load_trained, save_trained  # noqa: E402
from partgraph.learning.experiment import from_mapping  # noqa: E402
from partgraph.learning.fit import fit  # noqa: E402
from partgraph.learning.start import initial_network  # noqa: E402
from partgraph.learning.strict import ExperimentError  # noqa: E402


@pytest.fixture
def trained(tmp_path, experiment, toy):
    """A folder with a network whose tensors hold other numbers than fresh ones do."""
    network = experiment.build_network(toy.PARTS)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.uniform_(0.25, 0.75)
    folder = tmp_path / "trained"
    save_trained(folder, experiment, network, {})
    return folder


def states(*networks):
    return [network.state_dict() for network in networks]


def test_without_a_start_weights_are_fresh(experiment, toy):
    torch.manual_seed(0)
    fresh = experiment.build_network(toy.PARTS)
    torch.manual_seed(0)
    found = initial_network(experiment, toy.PARTS)
    for name, tensor in fresh.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor), name


def test_it_starts_where_the_other_network_ended(experiment, toy, trained):
    found = initial_network(attrs.evolve(experiment, start=str(trained)), toy.PARTS)
    for name, tensor in load_trained(trained).network.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor), name


def test_an_installed_experiment_is_named(experiment, toy, trained, monkeypatch):
    get = plugins.get
    monkeypatch.setattr(
        plugins,
        "get",
        lambda kind, name: trained if (kind, name) == ("experiment", "dots") else get(kind, name),
    )
    found, there = states(
        initial_network(attrs.evolve(experiment, start="dots"), toy.PARTS), load_trained(trained).network
    )
    assert all(torch.equal(found[name], there[name]) for name in there)


def test_training_begins_there(experiment, toy, trained, tmp_path):
    """A step too small to change anything leaves the weights that it began with."""
    still = attrs.evolve(experiment.training, steps=1, learning_rate=1e-12, weight_decay=0.0)
    begun = attrs.evolve(experiment, start=str(trained), training=still)
    found, there = states(
        fit(begun, experiment.dataset("train"), tmp_path / "run"), load_trained(trained).network
    )
    for name, tensor in there.items():
        torch.testing.assert_close(found[name], tensor)


def test_between_other_parts_the_last_layers_stay_fresh(experiment, toy, trained, monkeypatch):
    """As many parts of another name have heads of the same shapes, which say something else."""
    others = tuple(f"other-{part}" for part in toy.PARTS)
    torch.manual_seed(0)
    fresh = experiment.build_network(others)
    heads = {name for name, _ in fresh.named_parameters()}
    body = next(iter(sorted(heads)))
    monkeypatch.setattr(
        type(fresh), "heads", lambda self: (p for name, p in self.named_parameters() if name != body)
    )
    torch.manual_seed(0)
    found = initial_network(attrs.evolve(experiment, start=str(trained)), others)
    found, fresh, there = states(found, fresh, load_trained(trained).network)
    assert torch.equal(found[body], there[body])
    for name in heads - {body}:
        assert torch.equal(found[name], fresh[name]), name


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("no/such/folder", "no such folder; give one that `partgraph train` wrote"),
        ("no-such-experiment", "no-such-experiment"),
    ],
)
def test_a_start_that_is_not_there(experiment, toy, start, words):
    with pytest.raises(PartGraphError, match=words):
        initial_network(attrs.evolve(experiment, start=start), toy.PARTS)


def test_a_start_that_has_nothing_in_common(experiment, toy, trained, monkeypatch):
    monkeypatch.setattr(
        "partgraph.learning.start.load_trained",
        lambda folder: attrs.evolve(load_trained(folder), network=_Renamed(load_trained(folder).network)),
    )
    with pytest.raises(ExperimentError, match="no tensor of that network fits"):
        initial_network(attrs.evolve(experiment, start=str(trained)), toy.PARTS)


class _Renamed:
    """A network of the same parts whose tensors have other names."""

    def __init__(self, network):
        self.parts, self._network = network.parts, network

    def state_dict(self):
        return {f"other.{name}": tensor for name, tensor in self._network.state_dict().items()}


def test_it_is_kept_in_the_experiment(experiment):
    assert "start" not in experiment.to_json()
    begun = attrs.evolve(experiment, start="dots")
    assert from_mapping(begun.to_json(), "file") == begun
