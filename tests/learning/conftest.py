"""Shared by the tests of learning: a toy plugin found as any installed one, and experiments made of it."""

import importlib
from pathlib import Path

import pytest

from partgraph import plugins
from partgraph.plugins import Plugins

TOY = Path(__file__).parent / "toy_plugin"


@pytest.fixture(autouse=True, scope="session")
def single_thread():
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PARTGRAPH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def toy_path(tmp_path_factory):
    """Folders on whose path the toy plugin is installed: the metadata of a distribution, and its module."""
    info = tmp_path_factory.mktemp("site") / "partgraph_toy-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: partgraph-toy\nVersion: 1.0\n")
    info.joinpath("entry_points.txt").write_text("[partgraph]\ntoy = partgraph_toy\n")
    return str(info.parent), str(TOY)


@pytest.fixture(scope="module")
def toy(toy_path):
    """The toy plugin, discovered as any installed one."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for folder in toy_path:
            monkeypatch.syspath_prepend(folder)
        importlib.invalidate_caches()
        own = Plugins()
        monkeypatch.setattr(plugins, "shared", lambda: own)
        yield importlib.import_module("partgraph_toy")


@pytest.fixture
def values():
    """The values of an experiment with the toy, as its file has them."""
    return toy_values()


@pytest.fixture
def two_stages(values):
    """The same with a structured stage."""
    values["structured"] = {
        "parameters": "all",
        "loss": {
            "name": "structured-hinge",
            "graph": "dots-chain",
            "solver": "dynamic-programming",
            "n_best": 3,
        },
        "training": {"steps": 6, "batch": 4, "learning_rate": 0.01, "warmup": 0, "decay": 3, "checkpoint": 4},
    }
    return values


@pytest.fixture
def experiment(toy, values):
    from partgraph.learning.experiment import from_mapping

    return from_mapping(values, "toy.toml")


@pytest.fixture(scope="module")
def folder_of_trained(toy, tmp_path_factory):
    """What `train` wrote for that experiment; not to be changed."""
    from partgraph.learning.experiment import from_mapping
    from partgraph.learning.train import train

    folder = tmp_path_factory.mktemp("trained")
    train(from_mapping(toy_values(), "toy.toml"), folder, Quiet(), command="partgraph train toy.toml")
    return folder


class Quiet:
    """A watcher that looks away."""

    def preparing(self, what, total):
        return lambda made: None

    def training(self, progress):
        pass

    def calibrating(self, graph, scale, error):
        pass


def toy_values():
    def dots(split, count):
        return {"name": "dots", "split": split, "count": count}

    return {
        "name": "toy",
        "seed": 3,
        "data": {
            "train": dots("train", 40),
            "validation": dots("validation", 12),
            "test": dots("test", 10),
        },
        "model": {"name": "dot-network", "size": 32},
        "loss": {"name": "dot-loss"},
        "training": {
            "steps": 60,
            "batch": 8,
            "learning_rate": 0.03,
            "warmup": 2,
            "decay": 10,
            "checkpoint": 7,
        },
        "evaluation": {
            "graphs": ["dots-alone", "dots-star", "dots-chain"],
            "solver": "dynamic-programming",
        },
    }
