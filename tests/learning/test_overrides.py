"""Settings that change an experiment for one run, and constant displacements."""

import numpy as np
import pytest

pytest.importorskip("torch")

from partgraph import Candidates, Problem, Quadratic, Topology
from partgraph.learning.displacements import ONE_SIGMA, SMALLEST_SIGMA, Displacements
from partgraph.learning.overrides import override
from partgraph.learning.strict import ExperimentError


def test_a_setting_changes_its_key_alone(experiment):
    changed = override(
        experiment,
        ["data.test.count=7", "evaluation.graphs=['dots-chain']", "evaluation.solver = greedy", "seed=5"],
    )
    assert changed.data.test.options == {**experiment.data.test.options, "count": 7}
    assert changed.evaluation.graphs == ("dots-chain",)
    assert changed.evaluation.solver == "greedy"
    assert changed.seed == 5
    assert changed.data.train == experiment.data.train
    assert changed.model == experiment.model


def test_no_setting_changes_nothing(experiment):
    assert override(experiment, []) is experiment


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("data.test.count", "a setting is KEY=VALUE, as in data.test.count=1500; found 'data.test.count'"),
        ("=3", "a setting is KEY=VALUE"),
        ("evaluation.solvre=exact", "settings: evaluation: no such key: solvre"),
        ("data.test.name.x=3", "data.test.name is no table"),
        ("seed=often", "settings: seed: a whole number was asked for; found 'often'"),
    ],
)
def test_a_wrong_setting_is_said(experiment, setting, said):
    with pytest.raises(ExperimentError) as caught:
        override(experiment, [setting])
    assert said in str(caught.value)


@pytest.fixture
def poses():
    random = np.random.default_rng(0)
    return random.normal([[0, 0, 0], [5, 0, 1], [9, -3, 0]], [[1], [2], [4]], (400, 3, 3))


def test_displacements_are_those_of_the_poses(poses):
    found = Displacements.of(poses)
    for i, j in [(0, 1), (2, 1), (1, 2)]:
        apart = poses[:, j] - poses[:, i]
        np.testing.assert_allclose(found.mean[j] - found.mean[i], apart.mean(0))
        share = (np.abs(apart - apart.mean(0)) <= found.sigma[i, j]).mean(0)
        np.testing.assert_allclose(share, ONE_SIGMA, atol=0.004)
    assert (found.sigma[[0, 1, 2], [0, 1, 2]] == SMALLEST_SIGMA).all()


def test_displacements_are_stored_as_plain_values(poses):
    found = Displacements.of(poses)
    again = Displacements.from_json(found.to_json())
    np.testing.assert_allclose(again.mean, found.mean, atol=0.006)
    np.testing.assert_allclose(again.sigma, found.sigma, atol=0.006)


def test_displacements_take_the_place_of_a_problems_own(poses):
    graph = Topology("abc", [(0, 1), (2, 1)])
    random = np.random.default_rng(1)
    ends = [Candidates(random.normal(0, 5, (4, 3)), random.normal(0, 1, 4)) for _ in range(3)]
    own = Problem(
        graph, ends, [Quadratic(np.ones(3), np.zeros(3))] * 2, anchors=(ends[0].positions + 3, None)
    )
    found = Displacements.of(poses)
    labels = np.array([1, 2, 3])
    at = own.positions(labels)
    expected = sum(end.scores[label] for end, label in zip(ends, labels, strict=True))
    for i, j in graph.edges:
        off = at[j] - at[i] - (poses[:, j] - poses[:, i]).mean(0)
        expected -= 0.1 * (off**2 / (2 * found.sigma[i, j] ** 2)).sum()
    assert found.impose(own, 0.1).score(labels) == pytest.approx(expected)
