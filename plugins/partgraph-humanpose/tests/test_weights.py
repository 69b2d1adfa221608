"""The weights that ship: small, self-describing, and worth their place."""

import functools
import json

import attrs
import numpy as np
import pytest
import torch
from partgraph_humanpose.skeleton import PARTS
from partgraph_humanpose.weights import human_medium, human_medium_structured, human_small

from partgraph import plugins
from partgraph.learning.checkpoint import SIDECAR, WEIGHTS, load_trained
from partgraph.learning.evaluate import CONSTANT, FLOOR, evaluate, summarise
from partgraph.learning.infer import Decoder

IMAGES = 100
MARGIN = 1.0  # mm

FOLDERS = {own.name: own for own in (human_small(), human_medium(), human_medium_structured())}


def _there(folder):
    if not (folder / WEIGHTS).exists():
        pytest.skip(f"the shipped weights are not there: {folder.name}/{WEIGHTS}")
    return folder


@pytest.fixture(scope="module", params=sorted(FOLDERS))
def folder(request):
    return _there(FOLDERS[request.param])


@pytest.fixture(scope="module")
def trained(folder):
    assert plugins.get("experiment", folder.name) == folder
    return load_trained(folder)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Return a function of a network: the first held-out pictures, equally many of each clip, over all its graphs."""
    pictures = tmp_path_factory.mktemp("held-out")

    @functools.cache
    def measure(folder):
        trained = load_trained(_there(folder))
        data = attrs.evolve(trained.experiment.dataset("test"), count=IMAGES, folder=pictures)
        decoder = Decoder.of(trained.experiment.evaluation, trained.network.parts)
        return summarise(evaluate(trained.network, data, decoder), data, trained.metrics["mean_pose_mm"])

    return measure


@pytest.fixture
def results(folder, measured):
    return measured(folder)


def test_at_most_twelve_megabytes(folder):
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 12_000_000


def test_two_files_and_nothing_else(folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted([SIDECAR, WEIGHTS])


def test_the_network_fits_its_data(trained):
    assert trained.network.parts == PARTS
    data = trained.experiment.dataset("test")
    assert data.split == "test"
    assert data.size == trained.network.input_size
    assert all(bool(tensor.isfinite().all()) for tensor in trained.network.state_dict().values())
    assert (trained.network.pairwise_weights() > 0).all()


def test_the_sidecar_says_how_the_weights_came_about(trained):
    metrics = trained.metrics
    assert metrics["command"].startswith("partgraph train ")
    assert np.array(metrics["mean_pose_mm"]).shape == (16, 3)
    assert metrics["validation"]["images"] > 0
    assert set(trained.experiment.evaluation.pairwise_scale) == set(trained.experiment.evaluation.graphs) - {
        "unary-only"
    }


def test_the_sidecar_names_no_place_on_a_machine(folder):
    def texts(value):
        if isinstance(value, dict):
            value = [*value, *value.values()]
        if isinstance(value, list):
            return [text for item in value for text in texts(item)]
        return value.split() if isinstance(value, str) else []

    assert not [
        word for word in texts(json.loads((folder / SIDECAR).read_text())) if word.startswith(("/", "~"))
    ]


def test_the_same_picture_gives_the_same_scores(trained):
    images = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        both, first = trained.network(images), trained.network(images[:1])
    torch.testing.assert_close(both.voxels[:1], first.voxels, atol=1e-3, rtol=1e-3)


def test_unary_scores_alone_beat_the_constant_pose(results):
    assert results.mean("unary-only") < results.mean(CONSTANT) - MARGIN
    assert results.mean(FLOOR) < 30


@pytest.mark.parametrize("graph", ["center-star", "stick-figure", "extended-stick-figure", "two-hop"])
@pytest.mark.parametrize("name", ["human-small", "human-medium"])
def test_every_topology_beats_unary_scores_alone(measured, name, graph):
    assert measured(FOLDERS[name]).difference(graph, "unary-only").mean < -MARGIN


@pytest.mark.parametrize("graph", ["unary-only", "two-hop"])
def test_both_further_stages_together_lower_the_error(measured, graph):
    before, after = (
        measured(FOLDERS[name]).mean(graph) for name in ("human-medium", "human-medium-structured")
    )
    assert after < before - MARGIN
