"""The weights that ship: small, self-describing, better than a pose that ignores the picture; proven answers."""

import json

import attrs
import numpy as np
import pytest
from partgraph_dogpose.skeleton import PARTS
from partgraph_dogpose.weights import dog_small

from partgraph import plugins
from partgraph.learning.checkpoint import SIDECAR, WEIGHTS, load_trained
from partgraph.learning.evaluate import CONSTANT, FLOOR, evaluate, summarise
from partgraph.learning.infer import Decoder

IMAGES = 40
MARGIN = 10.0  # mm


@pytest.fixture(scope="module")
def trained():
    return load_trained(plugins.get("experiment", "dog-small"))


def test_two_files_of_a_few_megabytes():
    files = {path.name: path.stat().st_size for path in dog_small().iterdir()}
    assert set(files) == {SIDECAR, WEIGHTS}
    assert sum(files.values()) <= 6_000_000


def test_the_network_fits_its_data(trained):
    assert trained.network.parts == PARTS
    data = trained.experiment.dataset("test")
    assert (data.split, data.size) == ("test", trained.network.input_size)
    assert all(bool(tensor.isfinite().all()) for tensor in trained.network.state_dict().values())


def test_the_sidecar_says_how_the_weights_came_about(trained):
    assert trained.metrics["command"].startswith("partgraph train examples/dog-small.toml")
    assert np.array(trained.metrics["mean_pose_mm"]).shape == (25, 3)
    scales = trained.experiment.evaluation.pairwise_scale
    assert set(scales) == set(trained.experiment.evaluation.graphs) - {"dog-unary-only"}
    assert "/home" not in json.dumps(trained.metrics)


def test_held_out_dogs_are_found_and_answers_proven(trained, tmp_path):
    data = attrs.evolve(trained.experiment.dataset("test"), count=IMAGES, folder=tmp_path)
    evaluation = attrs.evolve(trained.experiment.evaluation, graphs=("dog-unary-only", "dog-two-hop"))
    decoder = Decoder.of(evaluation, trained.network.parts)
    evaluated = evaluate(trained.network, data, decoder)
    results = summarise(evaluated, data, trained.metrics["mean_pose_mm"])
    assert results.mean("dog-two-hop") < results.mean(CONSTANT) - MARGIN
    assert results.mean(FLOOR) < 25
    assert results.certified.all()
