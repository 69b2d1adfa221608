"""Configurations that were found are remembered by where they are, and used while they are all violated."""

import attrs
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from partgraph import Candidates, Problem, Topology  # noqa: E402
from partgraph.learning import structured as module  # noqa: E402
from partgraph.learning.batches import collate  # noqa: E402
from partgraph.learning.experiment import from_mapping  # noqa: E402
from partgraph.learning.stage import StageError  # noqa: E402
from partgraph.learning.structured import StructuredHinge  # noqa: E402
from partgraph.learning.train import Silent, train  # noqa: E402
from partgraph.learning.violators import Violators  # noqa: E402

GRAPH = Topology(("a", "b"), [])


def problem(*positions, scores=None):
    return Problem(
        GRAPH,
        [
            Candidates(np.array(own, float)[:, None], np.zeros(len(own)) if scores is None else scores)
            for own in positions
        ],
        [],
    )


def test_configurations_are_found_again_where_candidates_moved_and_changed_places():
    memory = Violators(reuse=2)
    memory.remember(7, problem([0, 10, 20], [5, 6, 7]), np.array([[2, 0], [0, 1], [1, 1]]))
    later = problem([9.5, 21, 30, 0.2], [6.1, 4.8, 7])
    assert memory.recall(7, later).tolist() == [[1, 1], [3, 0], [0, 0]]
    assert memory.recall(8, later) is None


def test_configurations_that_fell_together_are_one_and_forbidden_candidates_none():
    memory = Violators(reuse=1)
    memory.remember(0, problem([0, 1, 9], [5]), np.array([[0, 0], [1, 0], [2, 0]]))
    assert memory.recall(0, problem([0.4, 9], [5])).tolist() == [[0, 0], [1, 0]]
    forbidden = np.array([0, -np.inf])
    assert memory.recall(0, problem([0.4, 9], [5, 5], scores=forbidden)).tolist() == [[0, 0]]


def test_they_are_used_a_limited_number_of_times_and_restored():
    memory, one = Violators(reuse=2), problem([0, 1], [5, 7])
    memory.remember(3, one, np.array([[1, 0]]))
    memory.used(3)
    other = Violators(reuse=2)
    other.restore(memory.state())
    for own in (memory, other):
        assert own.recall(3, one).tolist() == [[1, 0]]
        own.used(3)
        assert own.recall(3, one) is None
        own.remember(3, one, np.array([[0, 1]]))
        assert own.recall(3, one).tolist() == [[0, 1]]
    other.restore({})
    assert other.recall(3, one) is None


class Searches:
    """Counts the problems that are searched."""

    def __init__(self, monkeypatch):
        self.counts, original = [], module.search

        def search(problems, solver, n_best):
            self.counts.append(len(problems))
            return original(problems, solver, n_best)

        monkeypatch.setattr(module, "search", search)


@pytest.fixture
def setting(experiment):
    data = experiment.dataset("train")
    torch.manual_seed(0)
    network = experiment.build_network(data.parts)
    batch = attrs.evolve(collate([data[k] for k in range(4)]), samples=torch.arange(4))
    return network, batch


def test_a_hinge_searches_again_after_so_many_uses(setting, monkeypatch):
    network, batch = setting
    searches = Searches(monkeypatch)
    options = StructuredHinge("dots-chain", "dynamic-programming", 3)
    reusing = attrs.evolve(options, reuse=2).started()
    expected = options(network, network(batch.images), batch)["hinge"]
    searches.counts.clear()
    for _ in range(6):
        assert torch.equal(reusing(network, network(batch.images), batch)["hinge"], expected)
    assert searches.counts == [4, 0, 0, 4, 0, 0]
    assert options.started() is options


def test_what_is_no_longer_violated_is_searched_anew(setting, monkeypatch):
    """The network changes so that one of the remembered configurations of the first sample becomes hopeless."""
    network, batch = setting
    reusing = StructuredHinge("dots-alone", "dynamic-programming", 1, reuse=5).started()
    reusing(network, network(batch.images), batch)
    outputs = network(batch.images)
    violator = reusing._memory._found[0][0][0, 0]
    at = int(((network.centers() - torch.from_numpy(violator)) ** 2).sum(-1).argmin())
    with torch.no_grad():
        outputs.scores[0, 0, at] -= 1e4
    searches = Searches(monkeypatch)
    changed = reusing(network, outputs, batch)["hinge"]
    assert searches.counts == [1]
    assert torch.equal(
        changed, StructuredHinge("dots-alone", "dynamic-programming", 1)(network, outputs, batch)["hinge"]
    )


def test_images_must_stay_in_place(tmp_path, toy, two_stages):
    two_stages["structured"]["loss"]["reuse"] = 1
    two_stages["augmentation"] = {"flip": 0.5}
    with pytest.raises(StageError, match="images are moved; set flip"):
        train(from_mapping(two_stages, "toy.toml"), tmp_path, Silent())
    two_stages["structured"]["augmentation"] = {"color": 0.1}
    train(from_mapping(two_stages, "toy.toml"), tmp_path, Silent())
