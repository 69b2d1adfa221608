"""The paper's workflow through the command line, on small files of every layout of Human3.6M and of LSP."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from partgraph.cli import main

EXPERIMENT = """
name = "small"
[data.train]
name = "mixture"
[[data.train.members]]
share = 0.75
dataset = {{ name = "human36m", folder = "{human36m}", subjects = ["S1"], size = 64 }}
[[data.train.members]]
share = 0.25
dataset = {{ name = "lsp", folder = "{lsp}", size = 64 }}
[data.validation]
name = "human36m"
folder = "{human36m}"
subjects = ["S11"]
size = 64
count = 4
[data.test]
name = "human36m"
folder = "{human36m}"
split = "test"
size = 64
count = 6
[model]
name = "volumetric-resnet"
size = 64
stride = 8
bins = 8
widths = [8, 8, 8, 8]
features = 8
candidates = 20
[loss]
name = "deep-supervision"
[augmentation]
flip = 0.5
rotation = 20.0
[evaluation]
graphs = ["unary-only", "stick-figure"]
solver = "dynamic-programming"
[training]
batch = 6
decay = 0
steps = {steps}
"""

STRUCTURED = """
[structured]
supervision = 0.5
[structured.loss]
name = "structured-hinge"
graph = "stick-figure"
solver = "dynamic-programming"
n_best = 3
[structured.training]
steps = 2
batch = 6
accumulate = 2
learning_rate = 1e-4
"""


@pytest.fixture
def lsp(tmp_path):
    """Three people with joints in the image only."""
    folder, random = tmp_path / "lsp", np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    joints = np.concatenate([random.uniform(5, 80, (2, 14, 3)), np.zeros((1, 14, 3))])
    savemat(folder / "joints.mat", {"joints": joints})
    for number in range(1, 4):
        picture = random.integers(0, 255, (90, 100, 3)).astype(np.uint8)
        Image.fromarray(picture).save(folder / "images" / f"im{number:04d}.jpg")
    return folder


def run(*arguments):
    with pytest.raises(SystemExit) as exit_:
        main(list(map(str, arguments)))
    return exit_.value.code


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["cdf", "fetch", "mmpose", "pavlakos", "videopose3d"])
def test_from_a_copy_of_the_data_to_tables_figures_and_poses(folders, lsp, tmp_path, capsys, layout):
    config, out = tmp_path / "small.toml", tmp_path / "run"

    def write(steps, further=""):
        text = EXPERIMENT.format(human36m=folders / layout, lsp=lsp, steps=steps)
        config.write_text(text + further)

    write(2)
    assert run("data", "check", folders / layout) == 0
    assert capsys.readouterr().out.startswith("human36m: Human3.6M")
    assert run("data", "prepare", config, "--workers", 0) == 0
    assert "test: 6 samples ready" in capsys.readouterr().out

    assert run("train", config, "--out", out, "--threads", 1) == 0
    write(4, STRUCTURED)  # training is lengthened, and goes on where it was
    assert run("train", config, "--out", out, "--threads", 1) == 0
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [(line["stage"], line["step"]) for line in log] == [
        ("training", 2),
        ("training", 4),
        ("structured", 2),
    ]
    assert np.isfinite([value for line in log for value in line["terms"].values()]).all()
    assert {"hinge", "voxels"} <= log[-1]["terms"].keys()
    assert "before_structured" in json.loads((out / "experiment.json").read_text())["metrics"]

    assert run("evaluate", out, "--out", tmp_path / "results") == 0
    found = json.loads((tmp_path / "results" / "results.json").read_text())
    assert found["images"] == 6
    assert set(found["reconstruction_error_mm"]) == {"unary-only", "stick-figure"}
    capsys.readouterr()
    assert run("tables", tmp_path / "results", "--format", "json") == 0
    first = json.loads(capsys.readouterr().out)[0]
    ours = {row["label"]: row["values"][15] for row in first["rows"] if row["note"] == ""}
    assert ours["stick-figure"] == pytest.approx(found["reconstruction_error_mm"]["stick-figure"], rel=1e-6)

    drawn = ["--graph", "stick-figure", "--solver", "dynamic-programming", "--out", tmp_path / "figures"]
    assert run("figures", out, "--index", 0, *drawn) == 0
    for name in ("voxels.svg", "comparison.svg", "views.svg"):
        ElementTree.parse(tmp_path / "figures" / name)

    photo = lsp / "images" / "im0001.jpg"
    assert run("predict", photo, "--model", out, "--out", tmp_path / "poses") == 0
    (picture,) = json.loads((tmp_path / "poses" / "poses.json").read_text())["pictures"]
    positions = np.array(picture["poses"]["stick-figure"]["positions_px"])
    assert positions.shape == (16, 3)
    assert np.isfinite(positions).all()
