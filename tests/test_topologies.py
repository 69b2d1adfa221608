"""Graphs from a skeleton and from poses, against brute force and against what the poses were drawn from."""

import itertools
import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import ProblemError, Topology
from partgraph.testing import strategies
from partgraph.topologies import complete, information, k_hop, learn, quadratics, star, tree
from partgraph.topologies.learned import _digamma

ARM = nx.DiGraph([("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand")])
seeds = st.integers(0, 2**32 - 1)


def named(graph):
    return [(graph.parts[i], graph.parts[j]) for i, j in graph.edges]


# -- from a skeleton ---------------------------------------------------------------------------------------------


def test_one_hop_is_the_skeleton_and_more_add_pairs_by_distance():
    assert k_hop(ARM, 1) == Topology.from_networkx(ARM)
    further = [("shoulder", "wrist"), ("elbow", "hand"), ("shoulder", "hand")]
    assert named(k_hop(ARM, 3)) == [*ARM.edges, *further]


@given(strategies.graphs(max_parts=7), st.integers(1, 4))
def test_k_hop_against_paths(skeleton, hops):
    distance = dict(nx.all_pairs_shortest_path_length(nx.Graph(skeleton.to_networkx())))
    wanted = {
        frozenset((a, b))
        for a, b in itertools.combinations(skeleton.parts, 2)
        if distance[a].get(b, 99) <= hops
    }
    graph = k_hop(skeleton, hops)
    assert {frozenset(pair) for pair in named(graph)} == wanted
    assert graph.edges[: len(skeleton.edges)] == skeleton.edges


def test_stars_around_the_middle_or_where_asked():
    assert named(star(ARM)) == [("elbow", other) for other in ("shoulder", "wrist", "hand")]
    assert named(star(ARM, "hand")) == [("hand", other) for other in ("shoulder", "elbow", "wrist")]


@given(strategies.graphs(max_parts=7))
def test_stars_and_complete_graphs_are_what_they_are_called(skeleton):
    n = len(skeleton.parts)
    assert star(skeleton).is_star
    assert len(complete(skeleton).links()) == n * (n - 1) // 2 == len(complete(skeleton.parts).edges)


@given(strategies.graphs(max_parts=7), st.data())
def test_trees_point_away_from_their_root(skeleton, data):
    root = data.draw(st.sampled_from([None, *skeleton.parts]))
    if not nx.is_connected(nx.Graph(skeleton.to_networkx())):
        with pytest.raises(ProblemError, match="bones that join all parts; found none from"):
            tree(skeleton, root)
        return
    graph = tree(skeleton, root)
    assert graph.is_tree
    assert {frozenset(pair) for pair in named(graph)} <= {frozenset(pair) for pair in named(skeleton)}
    directed = graph.to_networkx()
    tops = [part for part in graph.parts if directed.in_degree(part) == 0]
    assert tops == ([root] if root else tops[:1])
    assert nx.is_arborescence(directed)


def test_bad_wishes_for_a_skeleton():
    with pytest.raises(ProblemError, match="hops must be at least 1, the skeleton itself; found 0"):
        k_hop(ARM, 0)
    with pytest.raises(ProblemError, match=r"center must be one of the parts shoulder, .*; found 'knee'"):
        star(ARM, "knee")
    with pytest.raises(ProblemError, match="root must be one of the parts"):
        tree(ARM, "knee")


# -- from poses --------------------------------------------------------------------------------------------------


def drawn_from(graph, rng, poses=400, dimensions=2, unknown=0.0):
    """Poses whose displacements along a tree's edges are independent, and which may be anywhere."""
    n = len(graph.parts)
    result = np.zeros((poses, n, dimensions))
    for i, j in nx.bfs_edges(nx.Graph(graph.edges), 0) if n > 1 else ():
        mixing = rng.normal(size=(dimensions, dimensions)) + 2 * np.eye(dimensions)
        result[:, j] = (
            result[:, i] + 5 * rng.normal(size=dimensions) + rng.normal(size=(poses, dimensions)) @ mixing
        )
    result += rng.normal(0, 100, (poses, 1, dimensions))
    result[rng.random((poses, n)) < unknown] = np.nan
    return result


@given(strategies.trees(max_parts=7), seeds, st.sampled_from([0.0, 0.3]), st.sampled_from([2, 3]))
def test_the_tree_that_poses_were_drawn_from_is_learned(graph, seed, unknown, dimensions):
    rng = np.random.default_rng(seed)
    graph = Topology(graph.parts, graph.links())
    poses = drawn_from(graph, rng, 2000, dimensions, unknown)
    if len(graph.parts) > 1:
        learned = learn(poses, graph.parts)
        assert learned.links() == graph.links()
        assert nx.is_arborescence(learned.to_networkx())


def trees_over(n):
    """All trees over n parts, by their Pruefer codes."""
    for code in itertools.product(range(n), repeat=n - 2):
        yield nx.from_prufer_sequence(list(code)).edges


@pytest.mark.parametrize("measure", ["displacement", "position"])
@given(seeds, st.integers(3, 5), st.sampled_from([0.0, 0.2]))
def test_no_tree_has_more_information(measure, seed, n, unknown):
    rng = np.random.default_rng(seed)
    poses = rng.normal(size=(40, n, 2)) @ rng.normal(size=(2, 2)) + rng.normal(size=(40, 1, 2))
    poses[rng.random((40, n)) < unknown] = np.nan
    value = information(poses, measure=measure)
    found = learn(poses, "abcde"[:n], measure=measure)
    best = max(sum(value[edge] for edge in edges) for edges in trees_over(n))
    assert sum(value[edge] for edge in found.edges) == pytest.approx(best)


@given(seeds)
def test_the_tree_makes_displacements_most_likely(seed):
    """The maximum of the likelihood that the terms of a tree have, by trying all trees."""
    rng = np.random.default_rng(seed)
    poses = drawn_from(Topology("abcd", [(0, 1), (1, 2), (1, 3)]), rng, 50)

    def likelihood(edges):
        total = 0.0
        for i, j in edges:
            rows = poses[:, j] - poses[:, i]
            covariance = np.cov(rows.T)
            rows = rows - rows.mean(0)
            total -= 0.5 * np.einsum("sd,de,se->", rows, np.linalg.inv(covariance), rows)
            total -= len(rows) / 2 * np.linalg.slogdet(2 * np.pi * covariance)[1]
        return total

    best = max(likelihood(edges) for edges in trees_over(4))
    assert likelihood(learn(poses, "abcd", resolution=1e-9).edges) == pytest.approx(best)


@given(seeds)
def test_displacements_do_not_care_for_place_turn_and_unit(seed):
    rng = np.random.default_rng(seed)
    poses = drawn_from(Topology("abcde", [(0, 1), (1, 2), (1, 3), (0, 4)]), rng, 60, unknown=0.1)
    turned, _ = np.linalg.qr(rng.normal(size=(2, 2)))
    moved = 1000 * (poses @ turned + rng.normal(0, 50, (60, 1, 2)))
    assert learn(moved, "abcde", further=2).edges == learn(poses, "abcde", further=2).edges


def test_mutual_information_of_correlated_positions(rng):
    x = rng.normal(size=(50_000, 2))
    y = 0.8 * x + 0.6 * rng.normal(size=(50_000, 2))
    z = rng.normal(size=(50_000, 2))
    value = information(np.stack([x, y, z], 1), measure="position")
    assert value[0, 1] == pytest.approx(2 * -0.5 * math.log(1 - 0.8**2), abs=0.02)
    assert value[0, 2] == pytest.approx(0, abs=0.001)
    assert np.array_equal(value, value.T)


def test_a_large_random_shift_turns_one_measure_into_the_other(rng):
    poses = drawn_from(Topology("abcd", [(0, 1), (1, 2), (1, 3)]), rng, 500)
    shifted = poses + rng.normal(0, 1e6, (500, 1, 2))
    pairs = np.triu_indices(4, 1)
    own = information(poses, resolution=1e-3)[pairs]
    difference = information(shifted, measure="position", resolution=1e-3)[pairs] - own
    assert np.ptp(difference) < 0.05 < np.ptp(own)


def test_pairs_known_in_few_poses_do_not_look_more_certain(rng):
    """Log determinants of small samples are corrected: their mean is the true one, whatever the size."""
    for size in (4, 6, 40):
        values = [information(rng.normal(size=(size, 2, 3)))[0, 1] for _ in range(4000)]
        assert np.mean(values) == pytest.approx(-0.5 * 3 * math.log(2), abs=0.1)


def test_digamma_where_it_is_known():
    gamma = 0.5772156649015329
    assert _digamma(1.0) == pytest.approx(-gamma, abs=1e-9)
    assert _digamma(0.5) == pytest.approx(-gamma - 2 * math.log(2), abs=1e-9)
    assert _digamma(100.0) == pytest.approx(sum(1 / k for k in range(1, 100)) - gamma, abs=1e-9)


def test_further_pairs_root_and_direction(rng):
    chain = Topology("abcd", [(0, 1), (1, 2), (2, 3)])
    poses = drawn_from(chain, rng)
    value = information(poses)
    graph = learn(poses, "abcd", further=2, root="d")
    assert named(graph)[:3] == [("d", "c"), ("c", "b"), ("b", "a")]
    left = sorted([(0, 2), (0, 3), (1, 3)], key=lambda pair: -value[pair])[:2]
    assert graph.edges[3:] == tuple((j, i) for i, j in left)
    inwards = learn(poses, "abcd", further=2, root="d", inwards=True)
    assert inwards.edges == tuple((j, i) for i, j in graph.edges)
    assert not graph.is_forest
    np.testing.assert_array_equal(graph.pose, poses[0])


def test_rigid_and_flat_poses_have_a_tree():
    """Displacements that never change, and an axis that is always zero, are known to the resolution."""
    rng = np.random.default_rng(0)
    shape = np.array([[0, 0, 0], [3, 0, 0], [3, 4, 0], [9, 9, 0.0]])
    poses = shape + rng.normal(0, 50, (20, 1, 3)) * [1, 1, 0]
    poses[:, 3] += rng.normal(0, 1, (20, 3)) * [1, 1, 0]
    graph = learn(poses, "abcd")
    assert graph.is_tree
    assert sum(3 in link for link in graph.links()) == 1


def test_what_cannot_be_learned():
    poses = np.random.default_rng(0).normal(size=(10, 3, 2))
    apart = poses.copy()
    apart[:5, 2] = apart[5:, :2] = np.nan
    infinite = poses.copy()
    infinite[0, 0, 0] = np.inf
    for call, message in (
        (
            lambda: learn(poses, "ab"),
            r"poses must have shape \(S, 2, D\), NaN where unknown; found \(10, 3, 2\)",
        ),
        (lambda: learn(poses[0], "abc"), r"found \(3, 2\)"),
        (lambda: learn(apart, "abc"), "too few poses know both a part of a, b and one of c; give more poses"),
        (lambda: learn(poses, "abc", further=2), "further must lie between 0 and 1, .*; found 2"),
        (lambda: learn(poses, "abc", root="d"), "root must be one of the parts a, b, c; found 'd'"),
        (lambda: learn(poses, "abc", measure="mean"), "measure must be 'displacement' or 'position'"),
        (lambda: learn(infinite, "abc"), "found infinity"),
        (lambda: learn(np.ones((9, 3, 2)), "abc"), "no pose has two known parts at different places"),
        (lambda: learn(poses, "abc", resolution=0), "resolution must be a positive length; found 0"),
        (lambda: quadratics(Topology("abc", [(0, 2)]), apart), "edge a -> c: two poses .*; found 0"),
    ):
        with pytest.raises(ProblemError, match=message):
            call()


@given(seeds)
def test_terms_are_the_mean_and_the_deviation_of_displacements(seed):
    rng = np.random.default_rng(seed)
    graph = Topology("abc", [(2, 0), (0, 1)])
    poses = drawn_from(Topology("abc", [(0, 1), (1, 2)]), rng, 30, unknown=0.2)
    for term, (i, j) in zip(quadratics(graph, poses, resolution=1e-6), graph.edges, strict=True):
        rows = poses[:, j] - poses[:, i]
        rows = rows[~np.isnan(rows).any(1)]
        np.testing.assert_allclose(term.offset, rows.mean(0))
        one_sigma = rows.mean(0) + rows.std(0, ddof=1) * [1, 0]
        assert term.evaluate(np.zeros(2), one_sigma) == pytest.approx(-0.5)
