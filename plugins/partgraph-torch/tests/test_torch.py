"""Trees in torch against dynamic programming: boxes that bound, ties, batches, both precisions."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from partgraph_torch import Torch

from partgraph import (
    Candidates,
    DynamicProgramming,
    Huber,
    LimbLength,
    Problem,
    Quadratic,
    Status,
    Topology,
    UnsupportedProblemError,
    plugins,
    solve,
    solve_many,
)
from partgraph.testing import families, strategies

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SMALL = [Torch(device=d, precision=p, runs=(2,), tile=7) for d in DEVICES for p in ("float64", "float32")]
EDGES = [(0, 1), (2, 1), (1, 3), (4, 3)]


def forest(
    seed: int, size: int, dim: int = 3, edges=EDGES, whole: bool = False, anchors: bool = False
) -> Problem:
    rng = np.random.default_rng(seed)
    make = (
        (lambda *shape: np.round(2 * rng.normal(size=shape)))
        if whole
        else (lambda *shape: rng.normal(size=shape))
    )
    own = [Candidates(4 * make(size, dim), make(size)) for _ in range(5)]
    terms = [Quadratic(np.ones(dim) if whole else rng.uniform(0.1, 2, dim), make(dim)) for _ in edges]
    fields = [4 * make(size, dim) if anchors and e % 2 else None for e in range(len(edges))]
    return Problem(Topology("abcde", edges), own, terms, anchors=fields)


def assert_same(problem: Problem, solver: Torch, n_best: int) -> None:
    truth, found = solve(problem, DynamicProgramming(), n_best=n_best), solve(problem, solver, n_best=n_best)
    np.testing.assert_array_equal(found.labels, truth.labels)
    np.testing.assert_array_equal(found.scores, truth.scores)
    assert found.status is Status.OPTIMAL


@pytest.mark.parametrize("solver", SMALL, ids=lambda own: f"{own.device} {own.precision}")
@settings(deadline=None)
@given(
    problem=strategies.problems(graph=strategies.trees(), max_size=9),
    n_best=st.sampled_from([1, 2, 7]),
)
def test_generated_trees(solver: Torch, problem: Problem, n_best: int) -> None:
    """Drawn with ties, duplicates, forbidden candidates, anchors, extra terms, in two and three dimensions."""
    assert_same(problem, solver, n_best)


@settings(deadline=None)
@given(data=st.data())
def test_any_potential(data) -> None:
    terms = families.pairwises(dim=2)
    problem = data.draw(
        strategies.problems(graph=strategies.trees(max_parts=4), dim=2, max_size=9, pairwise=terms)
    )
    truth, found = (solve(problem, own, n_best=3) for own in (DynamicProgramming(), SMALL[0]))
    np.testing.assert_array_equal(found.labels, truth.labels)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("kind", ["plain", "whole", "anchors"])
def test_thousands_of_candidates(dim: int, kind: str) -> None:
    problem = forest(1, 700, dim, whole=kind == "whole", anchors=kind == "anchors")
    for solver in (Torch(), Torch(precision="float32"), Torch(runs=())):
        assert_same(problem, solver, 5)


def test_boxes_drop_most_candidates() -> None:
    found = solve(forest(2, 3000), Torch())
    assert sum(found.stats["candidates_left"]) < 100


def test_brute_force_compares_all_pairs_on_the_way_up() -> None:
    problem = forest(3, 60)
    pairs = solve(problem, Torch("cpu", "float64", runs=())).stats["pairs"]
    assert 60**2 * len(EDGES) <= pairs <= 2 * 60**2 * len(EDGES)


def test_several_trees_and_lone_parts() -> None:
    for edges in ([(0, 1), (3, 2)], [], [(1, 0)]):
        for n_best in (1, 6):
            assert_same(forest(3, 40, edges=edges), Torch(runs=(4,)), n_best)


def test_everything_ties() -> None:
    own = Candidates(np.zeros((20, 2)), np.zeros(20))
    problem = Problem(Topology("abc", [(0, 1), (1, 2)]), [own] * 3, [Quadratic([1.0, 1], [0.0, 0])] * 2)
    assert_same(problem, Torch(runs=(4,)), 3)


def test_far_from_the_origin_float32_is_exact() -> None:
    problem = forest(4, 300)
    moved = tuple(attrs.evolve(own, positions=own.positions + 5e5) for own in problem.candidates)
    assert_same(attrs.evolve(problem, candidates=moved), Torch(precision="float32"), 4)


# -- batches -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_scores_closer_than_float32_tells_apart(seed: int) -> None:
    """Every pair is worth the same but for 1e-9, so that without a margin float32 would drop the best one."""
    rng = np.random.default_rng(seed)
    positions, far = rng.normal(size=(300, 3)), [[700.0, -400, 100]]
    term = Quadratic([1.0, 0.3, 0.1], [0.0, 0, 0])
    scores = 1e-9 * rng.permutation(300) - term.evaluate(positions, np.array(far))
    own = [Candidates(positions, scores), Candidates(far, [0.0])]
    problem = Problem(Topology("ab", [(0, 1)]), own, [term])
    for runs in ((), (8,)):
        assert_same(problem, Torch(device="cpu", precision="float32", runs=runs), n_best=3)


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_batch_has_the_answers_of_each(precision: str) -> None:
    problems = [forest(seed, 200, anchors=seed % 2 == 0) for seed in range(5)]
    together = solve_many(problems, Torch(precision=precision, batch_size=3), n_best=3)
    for problem, found in zip(problems, together, strict=True):
        truth = solve(problem, DynamicProgramming(), n_best=3)
        np.testing.assert_array_equal(found.labels, truth.labels)
        np.testing.assert_array_equal(found.scores, truth.scores)


def test_terms_of_different_classes_in_a_batch() -> None:
    problems = [
        attrs.evolve(forest(seed, 90), pairwise=(term,) * 4)
        for seed, term in enumerate([LimbLength(3.0, 1.0), Huber(Quadratic([1.0] * 3, [0.0] * 3), 1.0)])
    ]
    for problem, found in zip(problems, solve_many(problems, Torch()), strict=True):
        np.testing.assert_array_equal(found.labels, solve(problem, DynamicProgramming()).labels)


# -- what it says ------------------------------------------------------------------------------------------------------


def test_loops_are_refused() -> None:
    problem = forest(0, 3, edges=[(0, 1), (1, 2), (2, 0)])
    with pytest.raises(UnsupportedProblemError, match=r"has a cycle \(.*\).*Use exact or admm"):
        solve(problem, Torch())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "abacus"}, "device must be"),
        ({"runs": (64, 24)}, "runs must fall"),
        ({"runs": (8, 64)}, "runs must fall"),
        ({"tile": 0}, "tile must be at least 1"),
        ({"precision": "float16"}, "precision"),
    ],
)
def test_options_are_checked(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Torch(**options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_named() -> None:
    with pytest.raises(ValueError, match="torch finds no GPU"):
        Torch(device="cuda")


def test_it_is_found_by_name() -> None:
    assert plugins.get("solver", "torch") is Torch
