"""Candidates that are dropped are in no best configuration, and where evidence is clear most are dropped."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import (
    Candidates,
    LimbLength,
    Mixture,
    Pairwise,
    Problem,
    Quadratic,
    Topology,
    Truncated,
    solve,
)
from partgraph.arrays import sqrt
from partgraph.pruning import possible
from partgraph.testing import families, strategies

RING = Topology("abcde", [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (1, 0)])


def assert_all_best_stay(problem, within=0.0):
    """Every configuration within the margin is made of candidates that stay."""
    every = solve(problem, "exhaustive", n_best=10_000)
    good = every.labels[every.scores >= every.scores[0] - within]
    for own, stay in zip(good.T, possible(problem, within=within), strict=True):
        assert set(own) <= set(stay.tolist())
        assert (np.diff(stay) > 0).all()
    pruned = problem.pruned(within=within)
    best = solve(pruned, "exhaustive")
    assert best.scores[0] == every.scores[0]
    np.testing.assert_array_equal(
        pruned.positions(best.labels[0]), problem.positions(every.labels[0])
    )  # ties: the lowest labels stay the lowest


@given(strategies.problems(graph=strategies.graphs(max_parts=5), max_size=5))
def test_all_best_configurations_stay(problem):
    assert_all_best_stay(problem)


@given(
    strategies.problems(graph=strategies.graphs(max_parts=4), exact=True), st.sampled_from([0.0, 0.5, 3.0])
)
def test_ties_and_margins(problem, within):
    assert_all_best_stay(problem, within)


@pytest.mark.parametrize("cls", families.PAIRWISES, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_every_term_that_ships(cls, data):
    terms = families.instances(cls, dim=2)
    assert_all_best_stay(data.draw(strategies.problems(dim=2, max_size=3, pairwise=terms)))


def scene(rng, graph=RING, count=400, spread=60.0):
    """Clutter, and near the truth one candidate of each part that stands out, but not everywhere."""
    truth = rng.uniform(20, 40, (len(graph.parts), 2))
    own = []
    for place in truth:
        positions, scores = rng.uniform(0, spread, (count, 2)), rng.normal(0, 1, count)
        positions[7], scores[7] = place, rng.choice([2.5, 6.0])
        own.append(Candidates(positions, scores))
    terms = [Quadratic([0.05, 0.05], truth[j] - truth[i] + rng.normal(0, 1, 2)) for i, j in graph.edges]
    return Problem(graph, own, terms)


@given(st.integers(0, 2**32 - 1))
def test_hundreds_of_candidates_in_blocks(seed):
    """More candidates than blocks, so that bounds of boxes decide; against dynamic programming."""
    rng = np.random.default_rng(seed)
    tree = Topology("abcde", [(0, 1), (2, 1), (1, 3), (3, 4)])
    problem = scene(rng, tree)
    stay = possible(problem)
    best = solve(problem, "dynamic-programming").labels[0]
    assert all(label in own for label, own in zip(best, stay, strict=True))


def test_most_candidates_are_dropped_where_the_evidence_is_clear():
    left = [sum(map(len, possible(scene(np.random.default_rng(seed))))) for seed in range(10)]
    assert np.median(left) < 0.1 * 2000


def test_terms_that_are_not_displacements(rng):
    terms = [LimbLength(12.0, 2.0), Truncated(Quadratic([0.1, 0.1], [5.0, 5.0]), 4.0)]
    terms.append(Mixture([*terms[1:], Quadratic([0.1, 0.1], [-5.0, 0.0])], [0.0, -1.0]))
    graph = Topology("abc", [(0, 1), (1, 2), (2, 0)])
    own = [Candidates(rng.uniform(0, 40, (30, 2)), rng.normal(0, 3, 30)) for _ in "abc"]
    assert_all_best_stay(Problem(graph, own, terms))


class Unbounded(Pairwise):
    """A term whose bounds say nothing."""

    def evaluate(self, x, y):
        return -sqrt(((y - x) ** 2).sum(-1))

    def bounds(self, *boxes):
        x, y = boxes
        return 0.0 * (y - x).sum(-1) + np.inf


def test_a_term_without_bounds_keeps_everything(rng):
    own = [Candidates(rng.normal(size=(9, 2)), rng.normal(size=9)) for _ in "ab"]
    problem = Problem(Topology("ab", [(0, 1)]), own, [Unbounded()])
    assert [len(stay) for stay in possible(problem)] == [9, 9]


def test_forbidden_candidates_go_and_unsolvable_problems_stay(arm):
    assert 2 not in possible(arm)[1]
    forbidden = [Candidates([[0.0, 0], [1, 1]], [-np.inf, -np.inf]), Candidates([[0.0, 0]], [0.0])]
    assert [len(own) for own in possible(Problem(Topology("ab"), forbidden))] == [2, 1]


def test_some_candidates_only(arm):
    """Labels, anchors and the score of what stays."""
    part = arm.only([[1], [0, 1], [1, 0]])
    assert part.sizes == (1, 2, 2)
    np.testing.assert_array_equal(part.anchors[1], arm.anchors[1][[1, 0]])
    assert part.score([0, 1, 0]) == arm.score([1, 1, 1])
