"""Problems from the maps of a network: positions, scores, what is kept, gradients, and bad input."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from partgraph import Problem, ProblemError, Quadratic, Topology, solve

seeds = st.integers(0, 2**32 - 1)
CHAIN = Topology("abc", [(0, 1), (1, 2)])
LOOP = Topology("abc", [(0, 1), (1, 2), (2, 0)])
shapes = st.one_of(st.tuples(*[st.integers(1, 4)] * 2), st.tuples(*[st.integers(1, 3)] * 3))


def terms(graph, dimensions, weight=0.3):
    return [Quadratic([weight] * dimensions, [1.0] * dimensions)] * len(graph.edges)


@given(seeds, shapes)
def test_every_voxel_is_a_candidate_where_the_map_says(seed, shape):
    """Against loops over indices, with an affine map and its special case."""
    rng = np.random.default_rng(seed)
    d = len(shape)
    maps = rng.normal(size=(3, *shape))
    residuals, offsets = rng.normal(size=(3, d, *shape)), rng.normal(size=(2, d, *shape))
    affine = rng.normal(size=(d, d + 1))
    origin, spacing = rng.normal(size=d), rng.uniform(1, 2, d)
    given = {"residuals": residuals, "offsets": offsets}
    by_affine = Problem.from_heatmaps(maps, CHAIN, terms(CHAIN, d), affine=affine, **given)
    square = np.vstack([np.column_stack([np.diag(spacing), origin]), np.eye(d + 1)[d]])
    by_square = Problem.from_heatmaps(maps, CHAIN, terms(CHAIN, d), affine=square, **given)
    by_spacing = Problem.from_heatmaps(maps, CHAIN, terms(CHAIN, d), origin=origin, spacing=spacing, **given)
    for part in range(3):
        np.testing.assert_allclose(
            by_square.candidates[part].positions, by_spacing.candidates[part].positions
        )
        for label, index in enumerate(itertools.product(*map(range, shape))):
            xyz = np.array(index[::-1])
            own = residuals[(part, slice(None), *index)]
            position = affine @ [*xyz, 1] + own
            np.testing.assert_allclose(by_affine.candidates[part].positions[label], position)
            np.testing.assert_allclose(
                by_spacing.candidates[part].positions[label], origin + spacing * xyz + own
            )
            assert by_affine.candidates[part].scores[label] == maps[(part, *index)]
            if part < 2:
                anchor = position + offsets[(part, slice(None), *index)]
                np.testing.assert_allclose(by_affine.anchors[part][label], anchor)


def test_defaults_are_indices_and_one_array_for_all_parts():
    problem = Problem.from_heatmaps(np.zeros((3, 2, 3)), CHAIN, terms(CHAIN, 2))
    assert problem.candidates[1].positions.tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]
    assert all(own.positions is problem.candidates[0].positions for own in problem.candidates)


@given(arrays(np.float64, (3, 2, 2), elements=st.floats(0, 1)))
def test_probabilities_and_logits(maps):
    graph, none = Topology("abc"), []
    with np.errstate(divide="ignore"):
        logs = np.log(maps)
    found = Problem.from_heatmaps(maps, graph, none, values="probability")
    np.testing.assert_array_equal([own.scores for own in found.candidates], logs.reshape(3, 4))
    logits = 2000 * maps - 1000
    found = Problem.from_heatmaps(logits, graph, none, values="logit")
    expected = -np.logaddexp(0, -logits)
    np.testing.assert_allclose([own.scores for own in found.candidates], expected.reshape(3, 4), atol=1e-12)


@given(seeds, st.integers(1, 20))
def test_the_best_of_each_part_are_kept_in_the_order_of_the_map(seed, keep):
    rng = np.random.default_rng(seed)
    maps = rng.integers(0, 5, (3, 3, 4)).astype(float)  # ties
    residuals, offsets = rng.normal(size=(3, 2, 3, 4)), rng.normal(size=(2, 2, 3, 4))
    given = {"residuals": residuals, "offsets": offsets}
    every = Problem.from_heatmaps(maps, CHAIN, terms(CHAIN, 2), **given)
    found = Problem.from_heatmaps(maps, CHAIN, terms(CHAIN, 2), keep=keep, **given)
    for part, own in enumerate(found.candidates):
        labels = sorted(sorted(range(12), key=lambda k: (-maps[part].flat[k], k))[:keep])
        np.testing.assert_array_equal(own.positions, every.candidates[part].positions[labels])
        np.testing.assert_array_equal(own.scores, every.candidates[part].scores[labels])
        if part < 2:
            np.testing.assert_array_equal(found.anchors[part], every.anchors[part][labels])


@given(seeds, st.sampled_from([(3, 4), (2, 2, 3)]))
def test_what_is_provable_has_the_same_best_configuration(seed, shape):
    rng = np.random.default_rng(seed)
    maps = 3 * rng.normal(size=(3, *shape))
    d = len(shape)
    every = Problem.from_heatmaps(maps, LOOP, terms(LOOP, d))
    found = Problem.from_heatmaps(maps, LOOP, terms(LOOP, d), keep="provable")
    best, rest = solve(every, "exhaustive"), solve(found, "exhaustive")
    assert rest.scores[0] == best.scores[0]
    np.testing.assert_array_equal(found.positions(rest.labels[0]), every.positions(best.labels[0]))


def test_the_best_few_may_lose_the_best_configuration():
    """What the documentation warns of: two strong candidates that contradict each other."""
    maps = np.zeros((2, 1, 9))
    maps[0, 0, 0], maps[1, 0, 8], maps[1, 0, 1] = 2, 2, 1
    pair = Topology("ab", [(0, 1)])
    one = [Quadratic([1.0, 1.0], [1.0, 0.0])]
    scores = [
        solve(Problem.from_heatmaps(maps, pair, one, keep=keep), "exhaustive").scores[0]
        for keep in (None, "provable", 1)
    ]
    assert scores[0] == scores[1] == 3 > scores[2]


def test_large_maps_are_cut_down_in_blocks(rng):
    """64 x 48 maps with several peaks each: what a network for 256 x 192 pictures returns."""
    truth = rng.uniform([10, 10], [38, 54], (3, 2))
    y, x = np.mgrid[:64, :48]
    maps = np.stack([12 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 8) - 6 for px, py in truth])
    maps += rng.normal(0, 0.3, maps.shape)
    pairwise = [Quadratic([0.02, 0.02], truth[j] - truth[i]) for i, j in LOOP.edges]
    given = {"values": "logit", "origin": 2.0, "spacing": 4.0}
    pairwise = [Quadratic(term.weight / 16, term.offset * 4) for term in pairwise]
    found = Problem.from_heatmaps(maps, LOOP, pairwise, keep="provable", **given)
    assert sum(found.sizes) < 100
    positions = found.positions(solve(found, "exhaustive").labels[0])
    assert np.abs(positions - (2 + 4 * truth)).max() < 6


@pytest.mark.parametrize("values", ["score", "probability", "logit"])
def test_gradients_reach_maps_residuals_and_offsets(values):
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.rand(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    maps, residuals, offsets = random(3, 3, 2), random(3, 2, 3, 2), random(2, 2, 3, 2)

    def best_score(maps, residuals, offsets, keep=None):
        problem = Problem.from_heatmaps(
            maps,
            CHAIN,
            terms(CHAIN, 2),
            values=values,
            residuals=residuals,
            offsets=offsets,
            affine=[[2, 0.5, 1], [0, 3, 1]],
            keep=keep,
        )
        return problem.score(solve(problem, "exhaustive").labels[0])

    assert torch.autograd.gradcheck(best_score, (maps, residuals, offsets))
    whole = torch.autograd.grad(best_score(maps, residuals, offsets), (maps, residuals, offsets))
    part = torch.autograd.grad(best_score(maps, residuals, offsets, "provable"), (maps, residuals, offsets))
    assert all(map(torch.equal, whole, part))
    assert all((own != 0).any() for own in whole)


def test_single_precision_stays():
    torch = pytest.importorskip("torch")
    problem = Problem.from_heatmaps(torch.zeros(3, 2, 2), CHAIN, terms(CHAIN, 2), keep=3)
    assert problem.candidates[0].positions.dtype == problem.candidates[0].scores.dtype == torch.float32


MAPS = np.zeros((3, 4, 5))


def changed(place, value):
    maps = MAPS.copy()
    maps[place] = value
    return maps


@pytest.mark.parametrize(
    ("maps", "options", "message"),
    [
        (MAPS[0], {}, r"must have shape \(N, Y, X\) or \(N, Z, Y, X\).*found \(4, 5\)"),
        (MAPS[None, None], {}, "found"),
        (MAPS[:, :0], {}, r"found \(3, 0, 5\)"),
        (MAPS[:2], {}, r"a map for each of the graph's 3 parts \(a, b, c\), in their order; found 2"),
        (changed((1, 2, 3), np.nan), {}, "the map of 'b' must be finite, or -inf to forbid; found NaN"),
        (changed((2, 0, 0), np.inf), {}, "the map of 'c' must be finite"),
        (changed((0, 0, 0), -0.25), {"values": "probability"}, "of 'a' must hold probabilities; found -0.25"),
        (MAPS, {"values": "log"}, "values must be 'score', 'probability', 'logit'; found 'log'"),
        (MAPS, {"origin": [0, 0, 0]}, "origin must be a number or one for each of x, y, finite; found"),
        (MAPS, {"spacing": 0}, "spacing must be a number .* and not zero; found 0"),
        (MAPS, {"spacing": [1, np.nan]}, "spacing must be"),
        (MAPS, {"affine": np.eye(2)}, r"affine must be finite, of shape \(2, 3\), from \(x, y, 1\)"),
        (MAPS, {"affine": np.ones((3, 3))}, "affine must be finite"),
        (MAPS, {"affine": np.eye(3), "origin": 1}, "an affine matrix or origin and spacing, not both"),
        (
            MAPS,
            {"residuals": np.zeros((3, 3, 4, 5))},
            r"residuals must have shape \(3, 2, 4, 5\): for each part",
        ),
        (MAPS, {"residuals": np.full((3, 2, 4, 5), np.nan)}, "residuals must be finite"),
        (MAPS, {"offsets": np.zeros((3, 2, 4, 5))}, r"offsets must have shape \(2, 2, 4, 5\): for each edge"),
        (MAPS, {"keep": 0}, "keep must be None, 'provable' or a number of at least 1; found 0"),
        (MAPS, {"keep": "best"}, "keep must be"),
        (MAPS, {"keep": True}, "keep must be"),
        (MAPS, {"pairwise": []}, "pairwise must have one entry per edge"),
        (MAPS, {"pairwise": terms(CHAIN, 3)}, "is made for positions with 3 dimensions; these have 2"),
    ],
)
def test_bad_input_is_one_clear_error(maps, options, message):
    pairwise = options.get("pairwise", terms(CHAIN, 2))
    options = {name: value for name, value in options.items() if name != "pairwise"}
    with pytest.raises(ProblemError, match=message) as caught:
        Problem.from_heatmaps(maps, CHAIN, pairwise, **options)
    assert "\n" not in str(caught.value)


def test_a_networkx_graph_is_named():
    import networkx as nx

    with pytest.raises(
        ProblemError, match=r"graph must be a partgraph.Graph, as Topology.from_networkx makes one"
    ):
        Problem.from_heatmaps(MAPS, nx.path_graph(3), [])
