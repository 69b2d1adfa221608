"""Two stages of training: the second starts from the first, trains what it is told to, and can be stopped too."""

import json

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from partgraph.learning.batches import collate  # noqa: E402
from partgraph.learning.calibrate import pairwise_weights  # noqa: E402
from partgraph.learning.checkpoint import load_state, load_trained, state_path  # noqa: E402
from partgraph.learning.experiment import ExperimentError, from_mapping  # noqa: E402
from partgraph.learning.fit import LOG, DivergenceError, fit  # noqa: E402
from partgraph.learning.stage import StageError  # noqa: E402
from partgraph.learning.structured import StructuredHinge  # noqa: E402
from partgraph.learning.train import train  # noqa: E402


class Stop(Exception):
    pass


class Watcher:
    """Notes what it is told, and may stop the structured stage at a step."""

    def __init__(self, stop=None):
        self.stop, self.told, self.scales = stop, [], {}

    def preparing(self, what, total):
        return lambda made: None

    def training(self, progress):
        self.told.append(progress)

    def calibrating(self, graph, scale, error):
        self.scales.setdefault(graph, []).append(scale)


@pytest.fixture
def experiment(toy, two_stages):
    return from_mapping(two_stages, "toy.toml")


def state(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_without_the_table_there_is_one_stage(toy, values):
    experiment = from_mapping(values, "toy.toml")
    assert experiment.structured is None
    assert [stage.name for stage in experiment.stages()] == ["training"]
    assert "structured" not in experiment.to_json()


def test_stages_of_the_table(experiment):
    first, second = experiment.stages()
    assert (first.name, first.parameters, first.tuning, first.graph) == ("training", "all", False, None)
    assert (second.name, second.parameters, second.tuning, second.graph) == (
        "structured",
        "all",
        True,
        "dots-chain",
    )
    assert second.losses == ((1.0, StructuredHinge("dots-chain", "dynamic-programming", 3)),)
    assert second.training.total == 6


def test_values_round_trip_through_json(experiment):
    assert from_mapping(json.loads(json.dumps(experiment.to_json())), "sidecar") == experiment


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("stepz", 3, ["structured", "stepz", "training"]),
        ("parameters", "tail", ["structured.parameters", "'heads', 'all'"]),
        ("supervision", -1.0, ["supervision", "-1.0"]),
        ("supervision", "much", ["structured.supervision", "number"]),
        ("loss", None, ["structured.loss", "missing"]),
        ("training", None, ["structured.training", "missing"]),
        ("training.steps", 0, ["steps", "0"]),
        ("training.speed", 1, ["structured.training", "speed"]),
    ],
)
def test_what_is_wrong_names_its_key(toy, two_stages, path, value, words):
    *above, last = path.split(".")
    table = two_stages["structured"]
    for key in above:
        table = table[key]
    if value is None:
        del table[last]
    else:
        table[last] = value
    with pytest.raises(ExperimentError) as caught:
        from_mapping(two_stages, "toy.toml")
    for word in words:
        assert word in str(caught.value)


def test_supervision_keeps_the_terms_of_the_first_loss(experiment, toy):
    kept = attrs.evolve(experiment, structured=attrs.evolve(experiment.structured, supervision=0.25))
    first, second = kept.stages()
    data = experiment.dataset("train")
    network, batch = experiment.build_network(data.parts), collate([data[k] for k in range(4)])
    outputs = network(batch.images)
    alone = experiment.stages()[1].terms(network, outputs, batch)
    supervised, both = (stage.terms(network, outputs, batch) for stage in (first, second))
    assert set(both) == {"hinge", "cells", "offsets"}
    assert torch.equal(both["hinge"], alone["hinge"])
    for name in supervised:
        assert both[name].item() == pytest.approx(0.25 * supervised[name].item())


class Layers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
        self.head = torch.nn.Linear(2, 1)

    def heads(self):
        return self.head.parameters()


@pytest.mark.parametrize("parameters", ["heads", "all"])
@pytest.mark.parametrize("tuning", [True, False])
def test_what_is_trained(experiment, parameters, tuning):
    stage = attrs.evolve(experiment.stages()[1], parameters=parameters, tuning=tuning)
    network = Layers()
    for _ in range(2):  # whatever was chosen before
        stage.prepare(network)
        assert all(own.requires_grad for own in network.head.parameters())
        assert all(own.requires_grad is (parameters == "all") for own in network.trunk.parameters())
        assert network.trunk[1].training is not tuning
        network.requires_grad_(parameters != "all").train(tuning)


def test_the_second_stage_starts_from_the_first_with_calibrated_weights(tmp_path, experiment, monkeypatch):
    """c times the graph's factor; the factor itself is one afterwards, and other graphs' are chosen anew."""
    started = {}
    original = StructuredHinge.__call__

    def call(self, network, outputs, batch):
        started.setdefault("state", state(network))
        return original(self, network, outputs, batch)

    monkeypatch.setattr(StructuredHinge, "__call__", call)
    monkeypatch.setattr(
        "partgraph.learning.train.pairwise_scales", scales := Scales({"dots-chain": 0.3, "dots-star": 3.0})
    )
    watcher = Watcher()
    train(experiment, tmp_path, watcher)
    first = experiment.build_network(experiment.dataset("train").parts)
    load_state(tmp_path, first, torch.optim.AdamW(first.parameters()))
    assert torch.equal(started["state"]["scores.weight"], first.scores.weight)
    expected = pairwise_weights(first, experiment.dataset("validation")) * 0.3
    assert torch.equal(started["state"]["weights"], expected)
    assert scales.asked == [{"dots-chain", "dots-star", "dots-alone"}, {"dots-star", "dots-alone"}]
    trained = load_trained(tmp_path)
    assert trained.experiment.evaluation.pairwise_scale == {"dots-chain": 1.0, "dots-star": 3.0}
    assert not torch.equal(trained.network.scores.weight, first.scores.weight)
    before = trained.metrics["before_structured"]
    assert set(before) == {"mean_pose_mm", "validation"}
    assert set(trained.metrics["validation"]["reconstruction_error_mm"]) == {
        "dots-alone",
        "dots-star",
        "dots-chain",
    }
    assert [told.stage for told in watcher.told] == ["training"] * 2 + ["structured"]
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [line["stage"] for line in lines] == [told.stage for told in watcher.told]
    assert set(lines[-1]["terms"]) == {"hinge"}


class Scales:
    """In place of a search for factors."""

    def __init__(self, found):
        self.found, self.asked = found, []

    def __call__(self, network, dataset, graphs, *arguments, **options):
        self.asked.append(set(graphs))
        return {name: self.found[name] for name in graphs if name in self.found}


def test_a_graph_that_is_not_evaluated_gets_its_factor_too(tmp_path, toy, two_stages):
    two_stages["evaluation"]["graphs"] = ["dots-alone"]
    watcher = Watcher()
    train(from_mapping(two_stages, "toy.toml"), tmp_path, watcher)
    assert set(watcher.scales) == {"dots-chain"}
    assert len(set(watcher.scales["dots-chain"])) == len(watcher.scales["dots-chain"])  # once


@pytest.mark.parametrize("stop", [1, 4, 5])
def test_an_interrupted_stage_ends_bit_by_bit_as_an_uninterrupted_one(tmp_path, experiment, stop):
    data, (_, stage) = experiment.dataset("train"), experiment.stages()

    def start():
        torch.manual_seed(8)
        return experiment.build_network(data.parts)

    whole = state(fit(experiment, data, tmp_path / "whole", stage, start()))

    def interrupt(progress):
        if progress.step == stop:
            raise Stop

    with pytest.raises(Stop):
        fit(experiment, data, tmp_path / "broken", stage, start(), report=interrupt, report_every=1)
    steps = []
    resumed = fit(
        experiment,
        data,
        tmp_path / "broken",
        stage,
        start(),
        report=lambda progress: steps.append(progress.step),
        report_every=1,
    )
    assert steps == list(range((stop - 1) // 4 * 4 + 1, 7))
    for name, tensor in state(resumed).items():
        assert torch.equal(tensor, whole[name]), name


def test_training_that_was_stopped_in_its_second_stage_goes_on_there(tmp_path, experiment, monkeypatch):
    train(experiment, tmp_path / "whole", Watcher())
    watcher = Watcher()

    def training(progress):
        if progress.stage == "structured":
            raise Stop

    monkeypatch.setattr(watcher, "training", training)
    with pytest.raises(Stop):
        train(experiment, tmp_path / "broken", watcher)
    resumed = Watcher()
    train(experiment, tmp_path / "broken", resumed)
    assert {told.stage for told in resumed.told} == {"structured"}
    whole, broken = (load_trained(tmp_path / name) for name in ("whole", "broken"))
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(broken.network.state_dict()[name], tensor), name
    assert whole.experiment == broken.experiment


def test_divergence_names_the_stage(tmp_path, experiment, monkeypatch):
    def call(self, network, outputs, batch):
        return {"hinge": network.offsets.sum() * float("nan")}

    monkeypatch.setattr(StructuredHinge, "__call__", call)
    with pytest.raises(DivergenceError, match="structured: the loss is nan at step 0; lower"):
        train(experiment, tmp_path, Watcher())
    assert not state_path(tmp_path, "structured").exists()


@pytest.mark.parametrize(
    ("table", "key", "value", "words"),
    [
        ("loss", "graph", "dotty", "no graph named 'dotty'"),
        ("loss", "solver", "dotty", "no solver named 'dotty'"),
        ("loss", "k", 3, "loss 'structured-hinge': no such key: k"),
        ("loss", "name", "dotty", "no loss named 'dotty'"),
        ("training", "batch", 41, "structured: batches of 41 samples were asked for, but there are 40"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(
    tmp_path, toy, two_stages, monkeypatch, table, key, value, words
):
    two_stages["structured"][table][key] = value
    monkeypatch.setattr(toy.Dots, "pending", lambda self: pytest.fail("the data were made first"))
    with pytest.raises((StageError, ExperimentError, LookupError)) as caught:
        train(from_mapping(two_stages, "toy.toml"), tmp_path, Watcher())
    assert words in str(caught.value)
