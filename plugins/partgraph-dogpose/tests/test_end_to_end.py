"""The whole way with a tiny network, where people are not known: data, training, weights, and proven answers."""

import json
import os
import subprocess
import sys

import pytest

CONFIG = """
name = "tiny"

[data.train]
name = "synthetic-dog"
count = 12
size = 32

[data.validation]
name = "synthetic-dog"
split = "validation"
count = 4
size = 32

[data.test]
name = "synthetic-dog"
split = "test"
count = 5
size = 32

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

[training]
steps = 6
batch = 4
warmup = 2
decay = 2

[evaluation]
graphs = ["dog-unary-only", "dog-center-star", "dog-two-hop"]
"""

# The package is not there, whoever asks, and the plugin system does not list its plugin.
WITHOUT_PEOPLE = """
import importlib.abc, importlib.metadata, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "partgraph_humanpose":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
found = importlib.metadata.entry_points
importlib.metadata.entry_points = lambda **options: importlib.metadata.EntryPoints(
    each for each in found(**options) if not each.value.startswith("partgraph_humanpose")
) if options else found()
"""


@pytest.fixture
def run(tmp_path):
    def run(code, *arguments):
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_PEOPLE + code, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PARTGRAPH_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


COMMAND = "\nfrom partgraph.cli import main\nmain(sys.argv[1:])"


def test_people_are_not_known_there(run):
    code = """
from partgraph.plugins import installed
try:
    import partgraph_humanpose
except ModuleNotFoundError:
    print("absent")
print(*sorted(entry.component.name for entry in installed() if entry.plugin in ("humanpose", "dogpose")))
"""
    absent, names = run(code).splitlines()
    assert absent == "absent"
    assert "synthetic-dog" in names
    assert "dog-two-hop" in names
    assert "human" not in names


def test_a_network_for_dogs_is_trained_and_its_answers_are_proven(run, tmp_path):
    """What training and evaluation need besides comes by name from plugins that know no object."""
    (tmp_path / "tiny.toml").write_text(CONFIG)
    folder, found = tmp_path / "run", tmp_path / "found"
    run(COMMAND, "train", tmp_path / "tiny.toml", "--out", folder, "--threads", 1)
    steps = [json.loads(line)["step"] for line in (folder / "log.jsonl").read_text().splitlines()]
    assert steps[-1] == 6
    parts = json.loads((folder / "experiment.json").read_text())["parts"]
    assert parts[0] == "nose"
    assert len(parts) == 25

    run(COMMAND, "evaluate", folder, "--graph", "dog-unary-only", "--graph", "dog-two-hop", "--out", found)
    values = json.loads((found / "results.json").read_text())
    assert values["images"] == 5
    assert values["certified_share"] == {"dog-unary-only": 1.0, "dog-two-hop": 1.0}
    assert values["reconstruction_error_mm"]["dog-two-hop"] > 0
    report = (found / "report.html").read_text(encoding="utf-8")
    assert "left-fore-paw" in report
