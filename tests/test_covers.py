"""Covers: stars that hold every edge once, as few or as even as they claim, in the graph and in every solver."""

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import Candidates, Problem, ProblemError, Quadratic, Star, Status, Topology, solve
from partgraph.covers import COVERS, balanced, every_part, fewest
from partgraph.plugins import get, installed
from partgraph.testing import strategies
from partgraph.testing.graph_checks import CHECKS
from partgraph.vertex_cover import vertex_cover

names = pytest.mark.parametrize("cover", COVERS)
PIECES = Topology(
    ["a", "b", "c", "alone", "d", "e", "f", "g"],
    [(0, 1), (1, 0), (1, 2), (2, 0), (4, 5), (5, 6), (6, 7), (7, 4), (4, 6), (6, 4)],
)
"""Two loops apart from each other, each with a coupling of two terms, and a lone part."""


def first_part(parts, links):
    """A cover of a user's own."""
    return [first for first, _ in links]


def centers(function, graph):
    links = graph.links()
    found = function(len(graph.parts), links)
    assert all(center in link for center, link in zip(found, links, strict=True))
    return np.bincount(np.array(found, dtype=int), minlength=len(graph.parts))


@pytest.mark.parametrize("cover", [*COVERS, first_part])
@pytest.mark.parametrize("check", CHECKS[:-1], ids=lambda check: check.__name__)
@given(graph=strategies.graphs(max_parts=7))
def test_conformance(cover, check, graph):
    check(graph.with_cover(cover))


@names
def test_slave_scores_add_up(cover):
    CHECKS[-1](PIECES.with_cover(cover))


def smallest(graph):
    """Return how many parts touch every link, by trying all sets of them."""
    for size in range(len(graph.parts) + 1):
        for chosen in itertools.combinations(range(len(graph.parts)), size):
            if all(set(link) & set(chosen) for link in graph.links()):
                return size
    raise AssertionError


@given(strategies.graphs(max_parts=8))
def test_the_fewest_stars_are_as_few_as_brute_force_finds(graph):
    least = smallest(graph)
    for function in (fewest, balanced):
        assert np.count_nonzero(centers(function, graph)) == least
    assert np.count_nonzero(centers(COVERS["greedy"], graph)) >= least


@given(strategies.graphs(max_parts=6))
def test_even_covers_are_as_even_as_brute_force_finds(graph):
    links, parts = graph.links()[:10], len(graph.parts)
    graph = Topology(graph.parts, links)
    every = (
        np.bincount(np.array(choice, dtype=int), minlength=parts).max()
        for choice in itertools.product(*links)
    )
    assert centers(every_part, graph).max() == min(every)
    cover = vertex_cover(parts, links)
    among = itertools.product(*(sorted(cover & set(link)) for link in links))
    best = min(np.bincount(np.array(choice, dtype=int), minlength=parts).max() for choice in among)
    assert centers(balanced, graph).max() == best


def test_a_ring_of_six():
    ring = Topology("abcdef", [(k, (k + 1) % 6) for k in range(6)])
    sizes = {name: [len(star.leaves) for star in ring.with_cover(name).stars()] for name in COVERS}
    assert sizes == {
        "greedy": [2, 2, 2],
        "fewest": [2, 2, 2],
        "balanced": [2, 2, 2],
        "every-part": [1, 1, 1, 1, 1, 1],
    }


def test_where_greedy_takes_a_star_too_many():
    """Three leaves' neighbours suffice; the hub between them looks better at first."""
    graph = Topology.from_networkx(
        nx.Graph([*(("hub", x) for x in "abc"), ("a", "A"), ("b", "B"), ("c", "C")])
    )
    assert (len(graph.stars()), len(graph.with_cover("fewest").stars())) == (4, 3)


def test_the_order_of_stars():
    graph = Topology("abcde", [(3, 2), (2, 1), (1, 2), (0, 3)]).with_cover(first_part)
    assert graph.stars() == (Star(0, (3,), (3,)), Star(1, (2,), (1, 2)), Star(2, (3,), (0,)), Star(4))


@given(st.integers(0, 2**32 - 1))
def test_graphs_of_thirty_parts_are_proven_in_the_tries_allowed(seed):
    graph = nx.gnm_random_graph(30, 90, seed=seed)
    complement = nx.complement(graph)
    cover = vertex_cover(30, graph.edges)
    assert all(cover & set(link) for link in graph.edges)
    # What is outside a smallest cover is a largest set without links: a largest clique of the complement.
    assert 30 - len(cover) == max(map(len, nx.find_cliques(complement)))


def test_complete_graphs_and_large_ones():
    assert len(vertex_cover(20, itertools.combinations(range(20), 2))) == 19
    large = nx.circulant_graph(300, [1, 2, 5])
    cover = vertex_cover(300, large.edges)
    assert all(cover & set(link) for link in large.edges)


def test_a_name_is_kept_by_problems_and_changes_no_score(arm):
    other = arm.with_cover("every-part")
    assert other.graph == arm.graph.with_cover("every-part") != arm.graph
    labels = np.array([1, 0, 1])
    assert other.score(labels) == arm.score(labels)


@pytest.mark.parametrize("cover", ["few", 3, None])
def test_no_such_cover(cover):
    with pytest.raises(ProblemError, match=r"cover must be 'greedy', .* or a function .*; found"):
        Topology("ab", [(0, 1)], cover=cover)


@pytest.mark.parametrize(
    ("cover", "message"),
    [
        (lambda parts, links: [], "each of the 1 links a center; found 0"),
        (lambda parts, links: [2], r"the link \(0, 1\) a center that is one of its parts; found 2"),
    ],
)
def test_covers_that_are_none(cover, message):
    with pytest.raises(ProblemError, match=message):
        Topology("abc", [(0, 1)], cover=cover).stars()


# -- in solvers --------------------------------------------------------------------------------------------------


def problems(**options):
    return strategies.problems(graph=st.just(PIECES), max_size=2, **options)


@pytest.mark.parametrize("name", [entry.name for entry in installed("solver") if not entry.missing])
@given(data=st.data())
def test_pieces_parallel_terms_and_lone_parts_in_every_solver(name, data):
    forest = Topology("abcdef", [(1, 0), (0, 1), (1, 2), (4, 5)])
    graph = {
        "branch-and-bound": Topology("abcd", [(1, 0), (0, 1), (1, 2), (3, 1)]),
        "dynamic-programming": forest,
        "torch": forest,
    }.get(name.partition(":")[2].removeprefix("kd-"), PIECES)
    problem = data.draw(strategies.problems(graph=st.just(graph), max_size=2))
    truth, found = solve(problem, "builtin:exhaustive", n_best=3), solve(problem, name, n_best=3)
    assert found.scores[0] <= truth.scores[0] <= found.upper_bound + 1e-9 * (1 + abs(truth.scores[0]))
    if get("solver", name).exact:
        assert found.status is Status.OPTIMAL
        np.testing.assert_array_equal(found.labels, truth.labels)


@pytest.mark.parametrize("cover", [*COVERS, first_part])
@given(problem=problems())
def test_exact_has_the_same_answer_with_every_cover(cover, problem):
    Exact = pytest.importorskip("partgraph_solvers").Exact
    truth = solve(problem, "exhaustive", n_best=3)
    found = solve(problem, Exact(cover=cover, easy_pairs=1), n_best=3)
    assert found.status is Status.OPTIMAL
    np.testing.assert_array_equal(found.labels, truth.labels)


@pytest.mark.parametrize("cover", [*COVERS, first_part])
@given(problem=problems())
def test_the_bound_of_admm_holds_with_every_cover(cover, problem):
    ADMM = pytest.importorskip("partgraph_solvers").ADMM
    best = solve(problem, "exhaustive").scores[0]
    found = solve(problem, ADMM(cover=cover, max_iterations=10))
    assert found.scores[0] <= best <= found.upper_bound + 1e-9 * (1 + abs(best))
    assert found.stats["slaves"] == len(PIECES.with_cover(cover).stars())


def test_the_cover_of_the_graph_is_used_where_the_solver_names_none(rng):
    ADMM = pytest.importorskip("partgraph_solvers").ADMM
    own = [Candidates(rng.normal(size=(3, 2)), rng.normal(size=3)) for _ in PIECES.parts]
    graph = PIECES.with_cover("every-part")
    problem = Problem(graph, own, [Quadratic([1.0, 1.0], [0.0, 1.0])] * len(graph.edges))
    assert solve(problem, ADMM(max_iterations=1)).stats["slaves"] == 8
    assert solve(problem, ADMM(max_iterations=1, cover="fewest")).stats["slaves"] == 5
