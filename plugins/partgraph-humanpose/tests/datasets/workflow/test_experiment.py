"""The paper's experiment as a file, and the commands that prepare its data."""

import json
from pathlib import Path

import pytest
from partgraph_humanpose.datasets.human36m.dataset import Human36M
from partgraph_humanpose.datasets.human36m.protocol import ACTIONS, CAMERAS
from partgraph_humanpose.datasets.mpii import Mpii
from partgraph_humanpose.skeleton import PARTS

from partgraph.learning.batches import collate
from partgraph.learning.experiment import read_experiment
from partgraph.learning.infer import Decoder
from partgraph.learning.mixture import Mixture

PAPER = Path(__file__).parents[5] / "examples" / "paper-human36m.toml"


def test_the_papers_experiment_is_read():
    experiment = read_experiment(PAPER)
    train = experiment.dataset("train")
    assert isinstance(train, Mixture)
    first, second = (member.dataset.build("dataset") for member in train.members)
    assert isinstance(first, Human36M)
    assert isinstance(second, Mpii)
    assert (first.rate, first.drift, first.cameras, first.size) == (
        10,
        "remove",
        Human36M(Path()).cameras,
        320,
    )
    assert experiment.dataset("test").split == "test"
    model = experiment.build_model()
    assert (model.depth, model.size, model.stride, model.bins) == (152, 320, 16, 20)
    assert experiment.build_loss().voxels == "sigmoid"
    assert list(Decoder.of(experiment.evaluation, PARTS).graphs)[-1] == "two-hop"


def test_data_is_prepared_checked_and_trained_on(small_experiment, run, tmp_path, capsys):
    """The whole way of a user, with 2D pictures among the training data."""
    small = small_experiment("mmpose", 3)
    assert run("data", "prepare", small, "--workers", 0) == 0
    assert capsys.readouterr().out.splitlines() == [
        "train: 54 samples ready",
        "validation: 4 samples ready",
        "test: 6 samples ready",
    ]
    experiment = read_experiment(small)
    data = experiment.dataset("train")
    assert data.pending() == 0
    batch = collate([data[k] for k in range(24)])
    assert 0 < batch.target.isnan().all(-1).any(-1).sum() < 24, "both kinds in one batch"
    prepared = next((tmp_path / "cache").glob("human36m-*"))
    assert run("data", "check", prepared) == 0
    assert "S1: 40" in capsys.readouterr().out.replace("S1 40", "S1: 40")
    assert run("train", small, "--out", tmp_path / "run", "--threads", 1) == 0
    assert run("evaluate", tmp_path / "run", "--json", "--out", tmp_path / "results") == 0
    assert '"images": 6' in capsys.readouterr().out
    the_papers_tables_are_printed(run, tmp_path / "results", capsys)
    assert run("evaluate", tmp_path / "run", "--part", "train") == 2
    assert "evaluation needs the 3D position of every part" in capsys.readouterr().err


def the_papers_tables_are_printed(run, folder, capsys):
    """Tables 1 to 3, with the paper's own numbers marked beside ours."""
    assert run("tables", folder, "--format", "json") == 0
    first, second, third, *_ = json.loads(capsys.readouterr().out)
    assert [column["name"] for column in first["columns"]][:16] == [*ACTIONS, "mean"]
    notes = [(row["label"], row["note"], row["values"][15]) for row in first["rows"]]
    assert notes[4] == ("two-hop", "published: Kinauer et al., table 1", 50.87)
    assert [(label, note) for label, note, _ in notes[5:7]] == [("unary-only", ""), ("stick-figure", "")]
    values = json.loads((folder / "results.json").read_text())
    assert notes[5][2] == pytest.approx(values["reconstruction_error_mm"]["unary-only"], rel=1e-6)
    labels = [(row["label"], row["note"]) for row in second["rows"]]
    assert labels[0] == ("Yasin et al., 2016", "published: Kinauer et al., table 2")
    assert ("stick-figure", "measured here") in labels
    assert [column["name"] for column in third["columns"]] == [*CAMERAS, "mean"]
    assert [row["label"] for row in third["rows"]] == ["S9", "S11", "S9", "S11", "mean"]
    assert third["rows"][0]["values"] == [55.62, 51.24, 56.10, 55.22, 54.54]


def test_check_of_each_layout_and_of_nothing(folders, run, tmp_path, capsys):
    assert run("data", "check", folders / "fetch") == 0
    assert capsys.readouterr().out.startswith("human36m: Human3.6M, h36m-fetch\n")
    assert run("data", "check", tmp_path) == 2
    assert "human36m, lsp, mpii, synthetic-human" in capsys.readouterr().err
