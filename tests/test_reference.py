import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import Candidates, DynamicProgramming, Exhaustive, Problem, Quadratic, Status, Topology, solve
from partgraph.testing import parametrize_with_checks, strategies


@parametrize_with_checks([Exhaustive(), DynamicProgramming(), DynamicProgramming(block=3)])
def test_conformance(subject, check):
    check(subject)


@given(strategies.problems(exact=True), st.integers(1, 30))
def test_exhaustive_search_is_what_it_says(problem, n_best):
    rows = [(-problem.score(labels), labels) for labels in np.ndindex(*problem.sizes)]
    best = sorted(row for row in rows if row[0] < np.inf)[:n_best]
    solution = solve(problem, Exhaustive(), n_best=n_best)
    assert solution.labels.tolist() == [list(labels) for _, labels in best]
    assert solution.scores.tolist() == [-score for score, _ in best]
    assert (solution.gap, solution.status) == (0, Status.OPTIMAL)


@given(strategies.problems(exact=True, graph=strategies.trees(max_parts=6), max_size=3), st.integers(1, 12))
def test_dynamic_programming_on_deeper_trees(problem, n_best):
    found, truth = (solve(problem, solver, n_best=n_best) for solver in (DynamicProgramming(), Exhaustive()))
    np.testing.assert_array_equal(found.labels, truth.labels)


def test_equal_candidates_are_taken_in_order():
    same = Candidates(np.zeros((3, 2)), np.zeros(3))
    graph = Topology("cba", [(2, 1), (1, 0)])
    problem = Problem(graph, [same] * 3, [Quadratic([1.0, 1], [0.0, 0])] * 2)
    expected = [[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 1, 0], [0, 1, 1]]
    for solver in (Exhaustive(), DynamicProgramming()):
        assert solve(problem, solver, n_best=5).labels.tolist() == expected


def test_dynamic_programming_needs_little_memory(rng):
    import tracemalloc

    k = 2000
    own = [Candidates(rng.normal(size=(k, 3)), rng.normal(size=k)) for _ in range(2)]
    problem = Problem(Topology("ab", [(0, 1)]), own, [Quadratic([1.0, 1, 1], [0.0, 0, 0])])
    tracemalloc.start()
    solve(problem, DynamicProgramming(block=2**14), n_best=3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < k * k * 8 / 4, "the table of all pairs was made at once"


def test_a_long_chain_is_no_recursion():
    n = 1100
    own = Candidates([[0.0], [1.0]], [0.0, 1.0])
    problem = Problem(
        Topology(map(str, range(n)), [(i, i + 1) for i in range(n - 1)]),
        [own] * n,
        [Quadratic([1.0], [0.0])] * (n - 1),
    )
    assert DynamicProgramming().compute(problem, None, 1).scores[0] == n


@pytest.mark.parametrize(
    ("solver", "message"),
    [
        (
            DynamicProgramming(),
            r"the graph has a cycle \([abc], [abc], [abc]\), and dynamic programming needs a tree. Use admm",
        ),
        (Exhaustive(max_configurations=7), "it has 8 configurations, more than max_configurations = 7. Use"),
    ],
)
def test_refusals_say_why_and_what_to_do(solver, message):
    graph = Topology("abc", [(0, 1), (1, 2), (2, 0)])
    own = Candidates(np.zeros((2, 1)), np.zeros(2))
    problem = Problem(graph, [own] * 3, [Quadratic([1.0], [0.0])] * 3)
    with pytest.raises(ValueError, match=f"{type(solver).__name__} cannot solve this problem: {message}"):
        solve(problem, solver)
