"""Every file in examples runs as it is, and what it defines keeps the framework's promises."""

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from partgraph.testing import parametrize_with_checks

EXAMPLES = Path(__file__).parents[1] / "examples"
WEIGHTS = EXAMPLES.parent / "plugins/partgraph-humanpose/src/partgraph_humanpose/weights"
SHIPPED = ("human-small", "human-medium", "human-medium-structured")
BETWEEN = ("human-medium-longer", "human-medium-turned")  # what the last one goes on from
NEEDS = dict.fromkeys(("loopy_graph.py", "rigid_object.py", "heatmaps.py"), "partgraph_solvers")


def load(path: Path) -> ModuleType:
    """Import an example as a module, so that what it does when run is not done."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # where import strings look
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_examples_run(path: Path, tmp_path: Path) -> None:
    if path.name in NEEDS:
        pytest.importorskip(NEEDS[path.name])
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    title, line, *_ = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()
    assert line == "=" * len(title), "the gallery needs a docstring that begins with a title, underlined"


@parametrize_with_checks([load(EXAMPLES / "custom_solver.py").CoordinateAscent()])
def test_the_custom_solver_conforms(subject: object, check: Callable[[object], None]) -> None:
    check(subject)


@pytest.mark.skipif(find_spec("torch") is None, reason="experiments need torch")
@pytest.mark.skipif(find_spec("partgraph_humanpose") is None, reason="needs partgraph-humanpose")
@pytest.mark.parametrize("name", [*SHIPPED, *BETWEEN])
def test_the_experiment_file_names_what_is_installed(name: str) -> None:
    from partgraph import plugins
    from partgraph.learning.experiment import read_experiment

    experiment = read_experiment(EXAMPLES / f"{name}.toml")
    experiment.build_model()
    experiment.build_loss()
    for part in ("validation", "test"):
        assert len(experiment.dataset(part)) == getattr(experiment.data, part).options["count"]
    for graph in experiment.evaluation.graphs:
        assert plugins.get("graph", graph).parts == experiment.dataset("test").parts


@pytest.mark.skipif(find_spec("torch") is None, reason="experiments need torch")
@pytest.mark.parametrize("name", ["human-medium-structured", *BETWEEN])
def test_what_an_experiment_file_starts_from_is_there_and_of_the_same_shape(name: str) -> None:
    from partgraph.learning.experiment import read_experiment

    experiment = read_experiment(EXAMPLES / f"{name}.toml")
    assert experiment.start is not None
    before = read_experiment(EXAMPLES / f"{experiment.start.removeprefix('runs/')}.toml")
    assert experiment.model == before.model


@pytest.mark.skipif(not WEIGHTS.exists(), reason="the weights are not here")
@pytest.mark.skipif(find_spec("torch") is None, reason="experiments need torch")
@pytest.mark.parametrize("name", SHIPPED)
def test_the_experiment_file_is_that_of_the_shipped_network(name: str) -> None:
    from partgraph.learning.experiment import from_mapping, read_experiment

    values = json.loads((WEIGHTS / name / "experiment.json").read_text(encoding="utf-8"))["experiment"]
    values["evaluation"]["pairwise_scale"] = {}  # what calibration filled in
    shipped = from_mapping(values, "the shipped network")  # options that came later have their defaults
    assert read_experiment(EXAMPLES / f"{name}.toml").to_json() == shipped.to_json()
