"""The whole way with a tiny network: experiment, training, weights, evaluation, demo, a picture of one's own."""

import json
import sys

import attrs
import numpy as np
import pytest
import torch
from partgraph_humanpose.skeleton import PARTS
from PIL import Image, ImageDraw

from partgraph.cli import main
from partgraph.learning.batches import collate
from partgraph.learning.checkpoint import load_state, load_trained
from partgraph.learning.experiment import read_experiment
from partgraph.learning.fit import fit
from partgraph.solver import Status

GRAPHS = ("unary-only", "center-star", "stick-figure", "extended-stick-figure", "two-hop")

CONFIG = """
name = "tiny"

[data.train]
name = "synthetic-human"
count = 12
size = 32
folder = "FOLDER"

[data.validation]
name = "synthetic-human"
split = "validation"
count = 4
size = 32
folder = "FOLDER"

[data.test]
name = "synthetic-human"
split = "test"
count = 5
size = 32
folder = "FOLDER"

[model]
name = "volumetric-resnet"
size = 32
stride = 8
bins = 4
widths = [8, 8, 8, 8]  # torch 2.14 corrupts memory on fewer channels, on CPUs with AVX2 alone
features = 8

[loss]
name = "deep-supervision"
voxels = "softmax"

[augmentation]
flip = 0.5
rotation = 15.0
scale = 0.1
erase = 0.5

[training]
steps = 6
batch = 4
checkpoint = 2
warmup = 2
decay = 2

[evaluation]
graphs = ["unary-only", "center-star", "stick-figure", "extended-stick-figure", "two-hop"]
"""


STRUCTURED = """
[structured]
supervision = 0.1

[structured.loss]
name = "structured-hinge"
graph = "stick-figure"
n_best = 3

[structured.training]
steps = 2
batch = 3
learning_rate = 1e-3
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The experiment's file; its pictures are drawn."""
    folder = tmp_path_factory.mktemp("tiny")
    path = folder / "tiny.toml"
    path.write_text(CONFIG.replace("FOLDER", str(folder / "pictures")))
    experiment = read_experiment(path)
    for part in ("train", "validation", "test"):
        experiment.dataset(part).prepare(workers=0)
    return path


@pytest.fixture(scope="module")
def experiment(config):
    return read_experiment(config)


def run(*words):
    """Run the command line; the exit code."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        words = [str(word) for word in words]
        monkeypatch.setattr(sys, "argv", ["partgraph", *words])
        with pytest.raises(SystemExit) as caught:
            main(words)
    return caught.value.code


@pytest.fixture(scope="module")
def folder(config):
    folder = config.parent / "run"
    assert run("train", config, "--out", folder, "--threads", 1, "--half") == 0
    return folder


def test_interrupted_training_ends_bit_by_bit_as_uninterrupted(experiment, tmp_path):
    """With batch normalisation, augmentation and a head that is never trained (the pairwise weights)."""
    data = experiment.dataset("train")
    whole = fit(experiment, data, tmp_path / "whole").state_dict()

    def interrupt(progress):
        if progress.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(experiment, data, tmp_path / "broken", report=interrupt, report_every=1)
    resumed = fit(experiment, data, tmp_path / "broken").state_dict()
    assert whole.keys() == resumed.keys()
    for name, tensor in whole.items():
        assert torch.equal(resumed[name], tensor), name


def test_a_structured_stage_follows(config, tmp_path):
    """From the file, by command: the heads and c change, the trunk does not; what is written can be evaluated."""
    path = tmp_path / "two.toml"
    path.write_text(config.read_text() + STRUCTURED)
    assert run("train", path, "--out", tmp_path / "run", "--threads", 1) == 0
    trained = load_trained(tmp_path / "run")
    first = trained.experiment.build_network(PARTS)
    load_state(tmp_path / "run", first, torch.optim.AdamW(first.parameters()))
    before, after = first.state_dict(), trained.network.state_dict()
    changed = {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"voxel_head", "residual_head", "offset_head", "map_head", "raw_weight"}
    assert trained.experiment.evaluation.pairwise_scale["stick-figure"] == 1.0
    assert "validation" in trained.metrics["before_structured"]
    assert run("evaluate", tmp_path / "run", "--count", 2) == 0


def test_training_lowers_the_loss(experiment, tmp_path):
    longer = attrs.evolve(
        experiment, training=attrs.evolve(experiment.training, steps=25, learning_rate=2e-2)
    )
    told = []
    fit(longer, longer.dataset("train"), tmp_path, report=told.append, report_every=5)
    assert sum(told[-1].terms.values()) < 0.95 * sum(told[0].terms.values())
    assert set(told[0].terms) == {"voxels", "maps", "residuals", "offsets"}


def test_train_writes_calibrated_weights_and_what_was_measured(folder, experiment):
    trained = load_trained(folder)
    assert trained.network.parts == PARTS
    scales = trained.experiment.evaluation.pairwise_scale
    assert set(scales) == set(GRAPHS[1:])
    assert trained.metrics["validation"]["images"] == 4
    assert np.array(trained.metrics["mean_pose_mm"]).shape == (16, 3)
    json.dumps(trained.metrics, allow_nan=False)
    data = experiment.dataset("validation")
    with torch.inference_mode():
        batch = collate([data[k] for k in range(4)])
        residuals = trained.network.offset_residuals(trained.network(batch.images), batch.target)
    sigma = (1 / (2 * trained.network.pairwise_weights())).sqrt().detach()
    off = ~torch.eye(16, dtype=torch.bool)
    within = (residuals.abs() <= 1.02 * sigma).float().mean(0)[off]
    assert 0.72 < float(within.mean()) < 0.85  # three of four samples


def test_every_topology_is_solved_and_what_is_claimed_holds(folder):
    from partgraph.learning.evaluate import evaluate
    from partgraph.learning.infer import Decoder

    trained = load_trained(folder)
    decoder = Decoder.of(trained.experiment.evaluation, trained.network.parts)
    for one in evaluate(trained.network, trained.experiment.dataset("test"), decoder):
        assert tuple(one.answers) == GRAPHS
        for found in one.answers.values():
            assert found.positions.shape == (16, 3)
            assert np.isfinite(found.positions).all()
            assert found.upper_bound >= found.score - 1e-6
            if found.status is Status.OPTIMAL:
                assert found.upper_bound == pytest.approx(found.score, rel=1e-6, abs=1e-6)
        for tree in ("unary-only", "center-star"):
            assert one.answers[tree].status is Status.OPTIMAL


def test_solvers_agree_on_trees(folder):
    from partgraph.learning.infer import Decoder

    trained = load_trained(folder)
    data = trained.experiment.dataset("test")
    images = collate([data[k] for k in range(3)]).images
    evaluation = attrs.evolve(trained.experiment.evaluation, graphs=("unary-only", "center-star"))
    default = Decoder.of(evaluation, PARTS)(trained.network, images)
    exact = Decoder.of(attrs.evolve(evaluation, solver="dynamic-programming"), PARTS)(trained.network, images)
    for one, other in zip(default, exact, strict=True):
        for name in one:
            assert one[name].score == pytest.approx(other[name].score, rel=1e-6)
            np.testing.assert_allclose(one[name].positions, other[name].positions)


def test_evaluate(folder, capsys):
    assert run("evaluate", folder, "--json", "--graph", "unary-only", "--graph", "center-star") == 0
    values = json.loads(capsys.readouterr().out)
    assert set(values["reconstruction_error_mm"]) == {"unary-only", "center-star"}
    assert set(values["per_group_mm"]) == {"backflip", "dance_b", "getup_faceup", "kick", "walk"}
    assert values["baselines_mm"]["perfect target"] < 40
    assert values["baselines_mm"]["constant mean pose"] > 60
    assert values["images"] == 5


def test_demo(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("demo", folder, "--count", 5) == 0
    out = capsys.readouterr().out
    values = json.loads((tmp_path / "demo" / "results.json").read_text())
    assert tuple(values["reconstruction_error_mm"]) == GRAPHS
    assert values["images"] == 5
    for words in (*GRAPHS, "constant mean pose", "perfect target", "backflip", "walk", "proven optimal"):
        assert words in out
    page = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    assert "two-hop" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_demo_with_every_topology(folder, tmp_path):
    words = [word for graph in (*GRAPHS, "two-hop-knees") for word in ("--graph", graph)]
    assert run("demo", folder, "--count", 1, "--out", tmp_path, *words) == 0
    values = json.loads((tmp_path / "results.json").read_text())
    assert list(values["reconstruction_error_mm"])[-1] == "two-hop-knees"


def test_tables_and_figures(folder, tmp_path, capsys):
    """What residuals bring, from two evaluations; and the paper's figures of a test picture."""
    for name, settings in (("refined", []), ("centres", ["--set", "model.residuals=false"])):
        assert run("evaluate", folder, "--out", tmp_path / name, "--graph", "unary-only", *settings) == 0
    capsys.readouterr()
    assert run("tables", tmp_path / "refined", tmp_path / "centres", "--format", "json") == 0
    table = json.loads(capsys.readouterr().out)[0]
    assert [column["name"] for column in table["columns"]][:3] == [
        "refined",
        "centres",
        "centres minus refined",
    ]
    assert table["rows"][0]["values"][0] != table["rows"][0]["values"][1]
    words = ("--index", 2, "--part", "left-wrist", "--solver", "exact")
    assert run("figures", folder, "--out", tmp_path / "figures", *words) == 0
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        "comparison.svg",
        "views.svg",
        "voxels.svg",
    ]
    assert "left-wrist" in (tmp_path / "figures" / "voxels.svg").read_text(encoding="utf-8")


@pytest.fixture
def photo(tmp_path):
    """A stick figure on a lawn."""
    image = Image.new("RGB", (120, 160), (90, 140, 80))
    pen = ImageDraw.Draw(image)
    pen.ellipse((50, 20, 70, 40), fill=(220, 180, 150))
    for line in ((60, 40, 60, 90), (60, 50, 35, 75), (60, 50, 85, 75), (60, 90, 45, 140), (60, 90, 75, 140)):
        pen.line(line, fill=(40, 40, 120), width=7)
    path = tmp_path / "figure.jpg"
    image.save(path)
    return path


def test_predict(folder, photo, tmp_path, capsys):
    """An untrained network finds nothing, but says so in the right places and files."""
    assert run("predict", photo, "--box", 30, 15, 60, 130, "--model", folder, "--out", tmp_path / "out") == 0
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["figure-pose.png", "poses.json", "report.html"]
    assert np.asarray(Image.open(out / "figure-pose.png")).shape == (160, 120, 3)
    values = json.loads((out / "poses.json").read_text())
    assert values["parts"] == list(PARTS)
    crop = values["pictures"][0]["crop"]
    for name, pose in values["pictures"][0]["poses"].items():
        assert name in GRAPHS
        positions = np.array(pose["positions_px"])
        assert positions.shape == (16, 3)
        assert (positions[:, :2] > np.array([crop["left"], crop["top"]]) - crop["side"]).all()
        assert (positions[:, :2] < np.array([crop["left"], crop["top"]]) + 2 * crop["side"]).all()
    assert "figure-pose.png" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("stride = 8", "stride = 7", "model 'volumetric-resnet': a crop of 32 px does not divide"),
        ("bins = 4", "bins = -4", "bins"),
        ("features = 8", "", "give features"),
        ('split = "test"', 'split = "tset"', "dataset 'synthetic-human': split"),
        ('voxels = "softmax"', 'voxels = "hinge"', "loss 'deep-supervision': voxels"),
        ('"two-hop"]', '"three-hop"]', "no graph named 'three-hop'"),
        ('name = "tiny"', 'name = "tiny"\nseeed = 1', "seeed"),
        ("count = 12", 'count = 12\nmotion = ["nowhere"]', "nowhere"),
    ],
)
def test_a_wrong_experiment_is_one_line_before_any_work(config, tmp_path, capsys, old, new, words):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(config.read_text().replace(old, new))
    assert run("train", wrong, "--out", tmp_path / "run") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error
    assert not list((tmp_path / "run").glob("*"))
