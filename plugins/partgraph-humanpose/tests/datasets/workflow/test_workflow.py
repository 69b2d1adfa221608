"""The paper's workflow through the command line, on small files of every layout of Human3.6M and of LSP."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

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


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["cdf", "fetch", "mmpose", "pavlakos", "videopose3d"])
def test_from_a_copy_of_the_data_to_tables_figures_and_poses(
    folders, lsp, small_experiment, run, tmp_path, capsys, layout
):
    config, out = small_experiment(layout, 2), tmp_path / "run"
    assert run("data", "check", folders / layout) == 0
    assert capsys.readouterr().out.startswith("human36m: Human3.6M")
    assert run("data", "prepare", config, "--workers", 0) == 0
    assert "test: 6 samples ready" in capsys.readouterr().out

    assert run("train", config, "--out", out, "--threads", 1) == 0
    small_experiment(layout, 4, STRUCTURED)  # training is lengthened, and goes on where it was
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
