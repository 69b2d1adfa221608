"""The loss on validation data, the best weights, and the logs."""

import json
import sys

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from partgraph.learning.batches import collate  # noqa: E402
from partgraph.learning.checkpoint import load_best, state_path  # noqa: E402
from partgraph.learning.fit import fit  # noqa: E402
from partgraph.learning.log import CURVES, LOG, Log, LogError, Progress  # noqa: E402
from partgraph.learning.stage import StageError  # noqa: E402
from partgraph.learning.strict import ExperimentError  # noqa: E402
from partgraph.learning.validate import validation_loss  # noqa: E402


def short(experiment, **training):
    return attrs.evolve(experiment, training=attrs.evolve(experiment.training, **training))


def test_validation_loss_is_the_mean_over_all_samples(experiment, monkeypatch):
    monkeypatch.setattr("partgraph.learning.validate._BATCH", 5)  # of 12 samples, the last batch has two
    data = experiment.dataset("validation")
    network = experiment.build_network(data.parts)
    stage = experiment.stages()[0]
    found = validation_loss(network, stage, data)
    whole = collate([data[k] for k in range(12)])
    expected = stage.terms(network, network(whole.images), whole)
    assert found == pytest.approx({name: term.item() for name, term in expected.items()}, rel=1e-5)
    assert network.training


def test_the_best_weights_are_kept_beside_the_last(tmp_path, experiment, monkeypatch):
    measured, seen = [3.0, 1.0, 2.0, 1.0, 5.0], []

    def told(network, stage, dataset):
        seen.append(network.scores.weight.detach().clone())
        return {"cells": measured[len(seen) - 1] - 0.5, "offsets": 0.5}

    monkeypatch.setattr("partgraph.learning.validate.validation_loss", told)
    experiment = short(experiment, steps=9, validate=2)
    data = experiment.dataset("train")
    last = fit(experiment, data, tmp_path)
    assert len(seen) == 5  # at 2, 4, 6, 8 and the end
    assert torch.equal(last.scores.weight, seen[-1])
    best = experiment.build_network(data.parts)
    load_best(tmp_path, best, "training")
    assert torch.equal(best.scores.weight, seen[1])
    kept = fit(short(experiment, keep="best"), data, tmp_path)  # nothing is left to train
    assert torch.equal(kept.scores.weight, seen[1])


def test_nothing_is_measured_unless_asked(tmp_path, experiment):
    fit(short(experiment, steps=4), experiment.dataset("train"), tmp_path)
    assert not state_path(tmp_path, "training-best").exists()
    with pytest.raises(StageError, match="validate = 500"):
        fit(short(experiment, steps=4, keep="best"), experiment.dataset("train"), tmp_path / "other")


def test_best_weights_that_cannot_be_read(tmp_path, experiment, toy):
    network = experiment.build_network(toy.PARTS)
    with pytest.raises(ExperimentError, match="take the last ones"):
        load_best(tmp_path, network, "training")


def test_curves_hold_what_the_log_does(tmp_path, experiment):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    experiment = short(experiment, steps=6, validate=3)
    fit(experiment, experiment.dataset("train"), tmp_path, curves=True, report_every=2)
    curves = accumulator.EventAccumulator(str(tmp_path / CURVES))
    curves.Reload()
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    seen = [(event.step, event.value) for event in curves.Scalars("training/loss/cells")]
    assert seen == [(line["step"], pytest.approx(line["terms"]["cells"])) for line in lines]
    assert [event.step for event in curves.Scalars("training/validation/cells")] == [4, 6]


def test_curves_without_tensorboard(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(LogError, match=r"pip install 'partgraph\[tensorboard\]'"):
        Log(tmp_path, curves=True)
    Log(tmp_path).write(Progress(1, 2, {}, 3.0))
    assert json.loads((tmp_path / LOG).read_text())["step"] == 1
