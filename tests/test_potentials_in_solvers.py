"""Every built-in pairwise potential in the solvers: the answers of the reference, and bounds that hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import (
    Candidates,
    Cauchy,
    FullQuadratic,
    GaussianPrior,
    Huber,
    LimbLength,
    Mixture,
    Problem,
    Quadratic,
    Status,
    Topology,
    Truncated,
    Visibility,
    solve,
)
from partgraph.plugins import get
from partgraph.testing import families, strategies

pytest.importorskip("partgraph_solvers")

RING = Topology("abcd", [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)])
STAR = Topology("abcd", [(0, 1), (2, 0), (0, 3)])

SHIFTED = Quadratic([0.1, 0.3], [6.0, 0.0])
TILTED = FullQuadratic([[0.5, -0.4], [-0.4, 0.5]], [6.0, 0.0])
TERMS = [
    SHIFTED,
    TILTED,
    LimbLength(8.0, 1.5),
    Truncated(SHIFTED, 6.0),
    Huber(TILTED, 1.0),
    Cauchy(SHIFTED, 2.0),
    Mixture([TILTED, Quadratic([0.2, 0.2], [0.0, 9.0])], [0.0, -1.0]),
]
one_of_each = pytest.mark.parametrize("term", TERMS, ids=lambda term: type(term).__name__)


def problem_on(graph, term, rng, size, spread):
    """The first part may be anywhere, the others are close together; the second is perhaps not seen."""
    scales = [spread, 8.0, 8.0, 8.0]
    own = [Candidates(rng.normal(0, scale, (size, 2)), rng.normal(0, 1, size)) for scale in scales]
    problem = Problem(graph, own, [term] * len(graph.edges))
    problem = problem.with_unary(0, GaussianPrior([0.0, 0.0], [[2e-3, 1e-3], [1e-3, 2e-3]]))
    return problem.with_unary(1, Visibility([-9.0, -9.0], [9.0, 9.0], -1.0))


@pytest.mark.parametrize("cls", families.PAIRWISES, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_branch_and_bound_agrees_with_exhaustive_search(cls, data):
    terms = families.instances(cls, dim=2)
    problem = data.draw(strategies.problems(graph=strategies.stars(max_parts=4), dim=2, pairwise=terms))
    found, truth = (solve(problem, name, n_best=3) for name in ("branch-and-bound", "exhaustive"))
    assert found.status is Status.OPTIMAL
    np.testing.assert_array_equal(found.labels, truth.labels)


@one_of_each
def test_branch_and_bound_skips_what_the_bounds_exclude(term, rng):
    problem = problem_on(STAR, term, rng, 1000, spread=40.0)
    found, truth = (solve(problem, name, n_best=5) for name in ("branch-and-bound", "dynamic-programming"))
    np.testing.assert_array_equal(found.labels, truth.labels)
    assert found.stats["blocks_opened"] <= found.stats["blocks"] / 2


@one_of_each
def test_loops_are_bounded_and_where_possible_solved(term, rng):
    exact = get("solver", "exact")()
    for _ in range(3):
        problem = problem_on(RING, term, rng, 6, spread=8.0)
        best, found = solve(problem, "exhaustive"), solve(problem, "admm")
        assert found.scores[0] <= best.scores[0] <= found.upper_bound + 1e-9 * (1 + abs(best.scores[0]))
        if exact.supports(problem) is None:
            proven = solve(problem, exact)
            assert proven.status is Status.OPTIMAL
            np.testing.assert_array_equal(proven.labels, best.labels)
