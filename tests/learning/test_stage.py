"""Two stages of training: the second starts from the first, trains what it is told to, and can be stopped too."""

import json

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from partgraph.learning.batches import collate  # noqa: E402
from partgraph.learning.calibrate import pairwise_weights  # noqa: E402
from partgraph.learning.checkpoint import (  # noqa: E402
    load_state,
    load_trained,
    save_state,
    save_trained,
    state_path,
)
from partgraph.learning.dataset import MissingTruthError  # noqa: E402
from partgraph.learning.experiment import from_mapping  # noqa: E402
from partgraph.learning.fit import DivergenceError, fit  # noqa: E402
from partgraph.learning.log import LOG  # noqa: E402
from partgraph.learning.stage import StageError  # noqa: E402
from partgraph.learning.strict import ExperimentError  # noqa: E402
from partgraph.learning.structured import StructuredHinge  # noqa: E402
from partgraph.learning.train import train  # noqa: E402
from partgraph.learning.update import Update  # noqa: E402


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
    original = StructuredHinge.begin

    def begin(self, network, outputs, batch):
        started.setdefault("state", state(network))
        return original(self, network, outputs, batch)

    monkeypatch.setattr(StructuredHinge, "begin", begin)
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
    assert set(before) == {"mean_pose_mm", "displacements_px", "flip", "validation"}
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
    def begin(self, network, outputs, batch):
        return lambda: {"hinge": network.offsets.sum() * float("nan")}

    monkeypatch.setattr(StructuredHinge, "begin", begin)
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


def test_the_second_stage_has_its_own_data_augmentation_and_rate(tmp_path, toy, two_stages, monkeypatch):
    seen = {"training": set(), "structured": set()}
    original = toy.Dots.__getitem__

    def getitem(self, index):
        seen["structured" if self.seed == 9 else "training"].add(self.count)
        return original(self, index)

    two_stages["structured"] |= {
        "data": {"name": "dots", "count": 17, "seed": 9},
        "augmentation": {"color": 0.1},
        "pairwise_rate": 0.5,
    }
    experiment = from_mapping(two_stages, "toy.toml")
    assert from_mapping(json.loads(json.dumps(experiment.to_json())), "sidecar") == experiment
    first, second = experiment.stages()
    assert (first.augmentation.color, second.augmentation.color, second.pairwise_rate) == (0.0, 0.1, 0.5)
    monkeypatch.setattr(toy.Dots, "__getitem__", getitem)
    train(experiment, tmp_path, Watcher())
    assert seen["structured"] == {17}
    assert 17 not in seen["training"]


def test_data_of_other_parts_or_without_depth_are_refused(tmp_path, toy, two_stages, monkeypatch):
    two_stages["structured"]["data"] = {"name": "dots", "flat": True}
    with pytest.raises(MissingTruthError, match=r"none among the first 40; add .*\[structured.data\]"):
        train(from_mapping(two_stages, "toy.toml"), tmp_path, Watcher())
    parts = property(lambda self: ("x", "y") if self.flat else toy.PARTS)
    monkeypatch.setattr(toy.Dots, "parts", parts)
    with pytest.raises(StageError, match=r"structured stage's data show x, y, but .* red, green"):
        train(from_mapping(two_stages, "toy.toml"), tmp_path, Watcher())


def test_weights_c_have_a_learning_rate_of_their_own(experiment, toy, monkeypatch):
    monkeypatch.setattr(toy.DotNetwork, "pairwise_parameters", lambda self: iter([self.offsets]))
    stage = attrs.evolve(experiment.stages()[0], pairwise_rate=0.25)
    data = experiment.dataset("train")
    network = experiment.build_network(data.parts)
    before = state(network)
    update = Update(network, stage)
    update(collate([data[k] for k in range(8)]), 0.08)
    # AdamW's first step is the learning rate in every coordinate that has a gradient.
    moved = (network.offsets - before["offsets"]).abs()
    assert moved[moved > 0.001].tolist() == pytest.approx([0.02] * int((moved > 0.001).sum()), rel=0.05)
    assert (network.scores.weight - before["scores.weight"]).abs().max().item() == pytest.approx(
        0.08, rel=0.05
    )


def test_a_state_fits_an_optimizer_whose_parameters_are_in_groups(tmp_path, experiment, toy, monkeypatch):
    monkeypatch.setattr(toy.DotNetwork, "pairwise_parameters", lambda self: iter([self.scores.weight]))
    stage = attrs.evolve(experiment.stages()[0], pairwise_rate=0.25)
    data = experiment.dataset("train")
    batch = collate([data[k] for k in range(8)])
    update = Update(experiment.build_network(data.parts), stage)
    update(batch, 0.1)
    save_state(tmp_path, update.network, update.optimizer, 1)
    other = Update(experiment.build_network(data.parts), stage)
    assert load_state(tmp_path, other.network, other.optimizer) == 1
    for own in (update, other):
        own(batch, 0.1)
    for name, tensor in state(update.network).items():
        assert torch.equal(tensor, other.network.state_dict()[name]), name


def test_searches_overlap_with_the_network_and_change_nothing(toy, two_stages, monkeypatch):
    """While problems of a part are solved, the network works on the next one; the update is the same bit by bit."""
    two_stages["structured"]["training"] |= {"batch": 8, "accumulate": 4}
    experiment = from_mapping(two_stages, "toy.toml")
    stage, data = experiment.stages()[1], experiment.dataset("train")
    batch = collate([data[k] for k in range(8)])
    events, results = [], []
    begin, forward = StructuredHinge.begin, toy.DotNetwork.forward

    def noted(self, network, outputs, batch):
        events.append("search")
        finish = begin(self, network, outputs, batch)

        def wait():
            events.append("wait")
            return finish()

        return wait

    def in_order(self, network, outputs, batch):
        terms = begin(self, network, outputs, batch)()
        return lambda: terms

    monkeypatch.setattr(
        toy.DotNetwork, "forward", lambda self, images: events.append("network") or forward(self, images)
    )
    for own in (noted, in_order):
        monkeypatch.setattr(StructuredHinge, "begin", own)
        torch.manual_seed(0)
        update = Update(experiment.build_network(data.parts), stage)
        terms = [update(batch, 0.01) for _ in range(3)]
        results.append((terms, state(update.network)))
        if own is noted:
            assert events[:9] == ["network", "search", *["network", "search", "wait"] * 2, "network"]
    (terms, weights), (ordered_terms, ordered_weights) = results
    assert terms == ordered_terms
    assert all(torch.equal(weights[name], ordered_weights[name]) for name in weights)


def test_the_second_stage_alone_goes_on_from_a_trained_network(tmp_path, toy, two_stages):
    once = from_mapping(two_stages, "toy.toml")
    first = once.build_network(toy.PARTS)
    with torch.no_grad():
        first.scores.weight.uniform_(0.25, 0.75)
    save_trained(tmp_path / "first", once, first, {})
    two_stages |= {"start": str(tmp_path / "first"), "training": {"steps": 0, "validate": 1, "keep": "best"}}
    watcher = Watcher()
    train(from_mapping(two_stages, "toy.toml"), tmp_path / "second", watcher)
    assert {told.stage for told in watcher.told} == {"structured"}
    trained = load_trained(tmp_path / "second")
    moved = (trained.network.scores.weight - first.scores.weight).abs()
    assert 0 < moved.max() < 0.2  # a few steps from where the first network was
    assert "before_structured" in trained.metrics


def test_no_step_at_all_is_refused(tmp_path, two_stages):
    two_stages["training"] = {"steps": 0}
    with pytest.raises(StageError, match="0 steps leave the network as it starts"):
        train(from_mapping(two_stages, "toy.toml"), tmp_path, Watcher())


def test_the_second_stage_may_go_on_with_the_first_ones_loss(tmp_path, toy, two_stages):
    """What the structured loss brings is told by a control that is trained as long without it."""
    two_stages["structured"]["loss"] = two_stages["loss"]
    watcher = Watcher()
    train(from_mapping(two_stages, "toy.toml"), tmp_path, watcher)
    assert [told.stage for told in watcher.told] == ["training"] * 2 + ["structured"]
    assert "hinge" not in watcher.told[-1].terms
    scales = load_trained(tmp_path).experiment.evaluation.pairwise_scale
    assert set(scales) == set(watcher.scales) == {"dots-chain", "dots-star"}
