"""ADMM between its bounds: below the optimum what it returns, above it what it proves."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from partgraph_solvers import ADMM, BranchAndBound
from partgraph_solvers.admm import balanced
from partgraph_solvers.copies import Copies
from partgraph_solvers.dual import consistent_offsets, incidence
from partgraph_solvers.slaves import CompiledSlave, SolverSlave, make_slave

from partgraph import (
    Candidates,
    DynamicProgramming,
    EuclideanLoss,
    Exhaustive,
    Problem,
    Quadratic,
    Status,
    Topology,
    solve,
)  # fmt: skip

TRIANGLE = [(0, 1), (1, 2), (2, 0)]
DIAMOND = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (2, 0)]
PATH = [(0, 1), (2, 1), (2, 3)]
PIECES = [(0, 1), (2, 3), (3, 2)]


def loopy_problem(
    seed: int, edges: list[tuple[int, int]], *, anchors: bool = False, most: int = 8
) -> Problem:
    rng = np.random.default_rng([seed, len(edges)])
    n = max(map(max, edges)) + 1
    parts = []
    for _ in range(n):
        k = int(rng.integers(1, most + 1))
        scores = 3 * rng.normal(size=k)
        scores[rng.random(k) < 0.1] = -np.inf
        scores[0] = 0.0
        parts.append(Candidates(rng.normal(size=(k, 3)), scores))
    terms = [Quadratic(rng.uniform(0.3, 3, 3), 0.5 * rng.normal(size=3)) for _ in edges]
    fields = [
        parts[i].positions + rng.normal(size=parts[i].positions.shape) if anchors else None for i, _ in edges
    ]
    return Problem(Topology([f"part-{i}" for i in range(n)], edges), parts, terms, anchors=fields)


@pytest.mark.parametrize("anchors", [False, True])
@pytest.mark.parametrize(
    "edges", [TRIANGLE, DIAMOND, PATH, PIECES], ids=["triangle", "diamond", "path", "pieces"]
)
def test_the_optimum_lies_between_score_and_bound(edges: list[tuple[int, int]], anchors: bool) -> None:
    found_it = 0
    for seed in range(40):
        problem = loopy_problem(seed, edges, anchors=anchors)
        optimum = solve(problem, Exhaustive()).scores[0]
        found = solve(problem, ADMM(max_iterations=30))
        assert found.scores[0] <= optimum + 1e-12
        assert found.upper_bound >= optimum - 1e-12
        history = found.stats["upper_bound"]
        assert (history >= optimum - 1e-12).all()
        assert (np.diff(history) <= 0).all()
        assert (np.diff(found.stats["score"]) >= 0).all()
        if found.status is Status.OPTIMAL:
            assert found.scores[0] == pytest.approx(optimum, abs=1e-10)
        found_it += found.scores[0] >= optimum - 1e-12
    assert found_it >= 36


def test_multipliers_of_a_part_sum_to_zero() -> None:
    for seed in range(10):
        problem = loopy_problem(seed, DIAMOND)
        found = solve(problem, ADMM(max_iterations=7))
        parts = [
            part for star in problem.graph.stars() for part in star.parts if part in problem.graph.shared()
        ]
        for part in set(parts):
            own = found.stats["multipliers"][np.array(parts) == part]
            np.testing.assert_allclose(own.sum(axis=0), 0, atol=1e-13 * (1 + np.abs(own).max()))


def test_consistent_offsets_cancel_at_every_part() -> None:
    """The linear parts that move offsets to consistent ones sum to zero, nearly, so they are multipliers."""
    for seed in range(10):
        problem = loopy_problem(seed, DIAMOND, anchors=bool(seed % 2))
        slope = consistent_offsets(problem, incidence(problem.graph.edges, len(problem.sizes)))
        total = np.zeros((len(problem.sizes), 3))
        for (i, j), own in zip(problem.graph.edges, slope, strict=True):
            total[j] += own
            total[i] -= own
        np.testing.assert_allclose(total, 0, atol=1e-7)


def test_a_star_is_one_slave_and_exact() -> None:
    for seed in range(20):
        problem = loopy_problem(seed, [(2, 0), (1, 2), (2, 3)])
        truth, found = (solve(problem, solver, n_best=4) for solver in (Exhaustive(), ADMM()))
        assert found.status is Status.OPTIMAL
        np.testing.assert_array_equal(found.labels, truth.labels)
        state = ADMM().init(problem)
        assert ADMM().warm_start(state, found) is state


def test_lone_parts_and_pieces_are_proven_at_once() -> None:
    own = Candidates([[0.0, 0], [1, 0]], [0.0, 1.0])
    problem = Problem(Topology("abc", [(0, 1)]), [own] * 3, [Quadratic([1.0, 1], [1.0, 0])])
    found = solve(problem, ADMM())
    assert found.status is Status.OPTIMAL
    assert found.stats["iterations"] == 1
    np.testing.assert_array_equal(found.labels, [[0, 1, 1]])


@pytest.mark.parametrize("slave", [DynamicProgramming(), Exhaustive()])
def test_any_solver_of_stars_serves_as_slave(slave) -> None:
    for seed in range(8):
        problem = loopy_problem(seed, DIAMOND).with_unary(1, EuclideanLoss(np.zeros(3), 0.3))
        ours, theirs = (
            solve(problem, ADMM(slave=own, max_iterations=15)) for own in (BranchAndBound(), slave)
        )
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        np.testing.assert_allclose(ours.stats["upper_bound"], theirs.stats["upper_bound"], atol=1e-9)
        np.testing.assert_allclose(ours.stats["primal_residual"], theirs.stats["primal_residual"], atol=1e-9)


def test_the_compiled_slave_agrees_with_the_general_one() -> None:
    rng = np.random.default_rng(2)
    for seed in range(30):
        problem = loopy_problem(seed, [(0, 1), (2, 0), (0, 2)], anchors=bool(seed % 2), most=100)
        solver, slots = BranchAndBound(), np.array([0, 2])
        state = solver.init(problem)
        compiled, general = (
            make_slave(solver, problem, state, slots),
            SolverSlave(solver, problem, state, slots),
        )
        assert isinstance(compiled, CompiledSlave)
        multipliers, u = rng.normal(size=(2, 2, 3))
        for pull in (None, u):
            (labels, bound), (same, other) = (
                own.solve(multipliers, pull, 3.0) for own in (compiled, general)
            )
            np.testing.assert_array_equal(labels, same)
            assert bound == pytest.approx(other, abs=1e-9)


def test_a_limited_slave_still_bounds() -> None:
    for seed in range(5):
        problem = loopy_problem(seed, DIAMOND, most=12)
        optimum = solve(problem, Exhaustive()).scores[0]
        found = solve(problem, ADMM(slave=BranchAndBound(max_blocks=0), max_iterations=5))
        assert found.scores[0] <= optimum + 1e-12
        assert found.upper_bound >= optimum - 1e-12


def test_history_and_consensus() -> None:
    agreements = 0
    for seed in range(20):
        problem = loopy_problem(seed, TRIANGLE)
        found = solve(problem, ADMM(max_iterations=50))
        for name in ("primal_residual", "dual_residual", "upper_bound", "score"):
            assert found.stats[name].shape == (found.stats["iterations"],)
        agreed = found.stats["agreed"]
        assert found.stats["consensus"] == (agreed is not None)
        if agreed is not None:
            agreements += 1
            assert found.stats["primal_residual"][-1] < 1e-12
            assert problem.score(agreed) <= found.scores[0]
            copies = Copies(problem, problem.graph.stars())
            positions = problem.positions(agreed)[copies.part]
            np.testing.assert_allclose(found.stats["common_positions"], positions)
    assert agreements > 5


def test_the_iteration_limit_is_reported() -> None:
    statuses = {solve(loopy_problem(seed, DIAMOND), ADMM(max_iterations=1)).status for seed in range(20)}
    assert Status.ITERATION_LIMIT in statuses


def test_n_best_are_distinct_and_sorted() -> None:
    for seed in range(10):
        problem = loopy_problem(seed, DIAMOND)
        found = solve(problem, ADMM(), n_best=10)
        assert (
            len(found.labels)
            == len(np.unique(found.labels, axis=0))
            == min(10, np.isfinite(found.scores).sum())
        )
        assert found.labels[0].tolist() == solve(problem, ADMM()).labels[0].tolist()
        assert (np.diff(found.scores) <= 0).all()
        assert "pool" in found.stats["n_best"]


def test_warm_start_goes_on_where_a_run_ended() -> None:
    for seed in range(10):
        problem, solver = loopy_problem(seed, DIAMOND), ADMM(max_iterations=100)
        state = solver.init(problem)
        first = solve(problem, solver, state=state)
        again = solve(problem, solver, state=solver.warm_start(state, first))
        if first.status is Status.CONVERGED:
            assert again.stats["iterations"] <= 2
        assert again.upper_bound >= first.scores[0] - 1e-12


def test_the_unit_of_length_does_not_matter() -> None:
    """Default options are free of scale: the same body in metres and in millimetres takes the same path."""
    for seed in range(5):
        metres = loopy_problem(seed, DIAMOND)
        parts = [attrs.evolve(own, positions=own.positions * 1000) for own in metres.candidates]
        terms = [Quadratic(term.weight / 1e6, term.offset * 1000) for term in metres.pairwise]
        first, second = (solve(own, ADMM()) for own in (metres, Problem(metres.graph, parts, terms)))
        np.testing.assert_array_equal(first.labels, second.labels)
        assert first.stats["iterations"] == second.stats["iterations"]


def test_what_the_slave_refuses_is_refused() -> None:
    reason = ADMM(slave=Exhaustive(max_configurations=3)).supports(loopy_problem(0, TRIANGLE))
    assert reason is not None
    assert "its slave Exhaustive cannot solve the star of 'part-" in reason


@pytest.mark.parametrize(
    "options", [{"rho": 0.0}, {"max_iterations": 0}, {"relative_rho": -1.0}, {"tolerance": 0.0}]
)
def test_options_must_be_positive(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be positive; found"):
        ADMM(**options)


def test_the_penalty_is_balanced_at_first_and_then_fixed() -> None:
    changed = 0
    for seed in range(12):
        problem = loopy_problem(seed, DIAMOND, most=30)
        optimum = solve(problem, Exhaustive(max_configurations=10**6)).scores[0]
        solver = ADMM(balance=True, relative_rho=0.02, max_iterations=40, bound_interval=100, bound_steps=0)
        found = solve(problem, solver)
        rho = found.stats["rho"]
        assert len(rho) == found.stats["iterations"]
        assert set(rho[1:] / rho[:-1]) <= {0.5, 1.0, 2.0}
        assert (rho[20:] == rho[20:21]).all()
        changed += rho[0] != rho[-1]
        assert found.scores[0] <= optimum + 1e-12 <= found.upper_bound + 2e-12
        total = np.zeros((4, 3))
        copies = Copies(problem, problem.graph.stars())
        np.add.at(total, copies.part, found.stats["multipliers"])
        np.testing.assert_allclose(total, 0, atol=1e-9)
    assert changed > 3


@pytest.mark.parametrize(("primal", "dual", "factor"), [(11.0, 1.0, 2.0), (1.0, 11.0, 0.5), (5.0, 1.0, 1.0)])
def test_residual_balancing(primal: float, dual: float, factor: float) -> None:
    assert balanced(3.0, primal, dual) == 3.0 * factor
    assert balanced(3.0, primal, np.inf) == 3.0  # before there is a dual residual


def test_a_fixed_penalty_stays() -> None:
    found = solve(loopy_problem(3, DIAMOND), ADMM(rho=2.5))
    assert (found.stats["rho"] == 2.5).all()


def test_polish_can_be_switched_off() -> None:
    """Without polish the iterates are the same, and what they are rounded to is never better."""
    worse = 0
    for seed in range(20):
        problem = loopy_problem(seed, DIAMOND, most=12)
        options = {"max_iterations": 3, "bound_interval": 100, "bound_steps": 0}
        polished, rounded = (
            solve(problem, ADMM(polish_sweeps=sweeps, **options), n_best=3) for sweeps in (100, 0)
        )
        assert rounded.scores[0] <= polished.scores[0]
        worse += rounded.scores[0] < polished.scores[0]
        if rounded.stats["iterations"] == polished.stats["iterations"]:
            np.testing.assert_array_equal(rounded.stats["multipliers"], polished.stats["multipliers"])
    assert worse
