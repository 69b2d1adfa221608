import attrs
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import (
    Candidates,
    EuclideanLoss,
    Linear,
    Problem,
    ProblemError,
    Quadratic,
    Scaled,
    Topology,
    arrays,
)
from partgraph.problem import detached
from partgraph.scoring import FEW
from partgraph.testing import strategies

PAIR = Topology(["elbow", "wrist"], [(0, 1)])


def two(k=2, d=3):
    return [Candidates(np.zeros((k, d)), np.zeros(k))] * 2


def unit(d=3):
    return Quadratic(np.ones(d), np.zeros(d))


# -- the score ---------------------------------------------------------------------------------------------------


@given(strategies.problems(), st.data())
def test_the_score_is_the_sum_of_its_terms(problem, data):
    labels = [data.draw(st.integers(0, size - 1)) for size in problem.sizes]
    total = 0.0
    for i, own in enumerate(problem.candidates):
        total += own.scores[labels[i]] + sum(t.evaluate(own.positions[labels[i]]) for t in problem.unary[i])
    for e, (i, j) in enumerate(problem.graph.edges):
        x = problem.candidates[i].positions if problem.anchors[e] is None else problem.anchors[e]
        total += problem.pairwise[e].evaluate(x[labels[i]], problem.candidates[j].positions[labels[j]])
    np.testing.assert_allclose(problem.score(labels), total, rtol=1e-9, atol=1e-6)


@given(strategies.problems(), st.data())
def test_many_configurations_at_a_time(problem, data):
    columns = [data.draw(st.lists(st.integers(0, s - 1), min_size=6, max_size=6)) for s in problem.sizes]
    labels = np.array(columns).T.reshape(3, 2, -1)
    scores, positions = problem.score(labels), problem.positions(labels)
    assert scores.shape == (3, 2)
    assert positions.shape == (3, 2, len(problem.sizes), problem.dimensions)
    for index in np.ndindex(3, 2):
        np.testing.assert_allclose(scores[index], problem.score(labels[index]), rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(positions[index], problem.positions(labels[index]))


@pytest.mark.parametrize("dimensions", [1, 2, 3, 9])
def test_terms_evaluated_together_are_the_same_numbers(dimensions):
    rng = np.random.default_rng(dimensions)
    graph = Topology("abcd", [(0, 1), (2, 1), (1, 2), (3, 0)])
    own = [Candidates(rng.normal(size=(50, dimensions)), rng.normal(size=50)) for _ in graph.parts]
    terms = [Quadratic(rng.uniform(1, 2, dimensions), rng.normal(size=dimensions)) for _ in graph.edges]
    problem = Problem(graph, own, terms, anchors=[rng.normal(size=(50, dimensions)), None, None, None])
    labels = rng.integers(0, 50, (FEW + 1, 4))  # too many to be evaluated together
    scores = problem.score(labels)
    np.testing.assert_array_equal(problem.score(labels[1:]), scores[1:])
    np.testing.assert_array_equal([problem.score(row) for row in labels], scores)


def test_quadratic_terms_as_two_arrays():
    """Nothing where one term is another, where fields are no detached arrays, and where there is no edge."""
    term = Quadratic([1.0, 2, 3], [4.0, 5, 6])
    weight, offset = Problem(PAIR, two(), [term]).quadratics
    assert (weight.tolist(), offset.tolist()) == ([[1, 2, 3]], [[4, 5, 6]])
    for other in (Scaled(2.0, term), attrs.evolve(term, weight=np.ones(3, np.float32))):
        assert Problem(PAIR, two(), [other]).quadratics is None
    assert Problem(Topology("a"), two()[:1]).quadratics is None


@given(strategies.problems())
def test_unary_scores_include_extra_terms(problem):
    for i, own in enumerate(problem.candidates):
        lone = Problem(Topology("a"), [own], unary=[problem.unary[i]])
        expected = lone.score(np.arange(len(own))[:, None])
        np.testing.assert_allclose(problem.unary_scores(i), expected, rtol=1e-9, atol=1e-9)


def test_anchors_stand_for_the_first_part(arm):
    first, _ = arm.graph.edges
    np.testing.assert_array_equal(arm.anchor(0), arm.candidates[first[0]].positions)
    np.testing.assert_array_equal(arm.anchor(1), arm.anchors[1])
    moved = arm.anchors[1].copy()
    moved[1] = 1e6  # another candidate's anchor
    other = attrs.evolve(arm, anchors=(None, moved))
    assert other.score([0, 0, 0]) == arm.score([0, 0, 0])
    assert other.score([0, 0, 1]) < arm.score([0, 0, 1])


def test_a_forbidden_candidate_has_score_minus_infinity(arm):
    assert arm.score([0, 2, 0]) == -np.inf


# -- values from values ------------------------------------------------------------------------------------------


def test_adding_a_term_leaves_the_problem_as_it_was(arm):
    more = arm.with_unary(1, Linear([0.0, 1, 0]), Linear([1.0, 0, 0]))
    assert [len(terms) for terms in arm.unary] == [0, 0, 0]
    assert [len(terms) for terms in more.unary] == [0, 2, 0]
    assert more.score([0, 1, 0]) == pytest.approx(arm.score([0, 1, 0]) + 20 + 10)


def test_a_slave_has_the_parts_edges_and_shares_of_its_star():
    graph = Topology("abc", [(0, 1), (2, 1), (2, 0)])
    own = [Candidates([[float(i), 0]], [6.0]) for i in range(3)]
    anchors = [None, [[9.0, 9]], None]
    problem = Problem(graph, own, [Quadratic([k, 1.0], [0.0, 0]) for k in (1, 2, 3)], anchors=anchors)
    problem = problem.with_unary(2, Linear([1.0, 1]))
    star = graph.stars()[1]
    slave = problem.restrict(star)
    assert slave.graph == Topology("bc", [(1, 0)])
    assert slave.candidates[0].scores.tolist() == [3.0]
    assert slave.pairwise == (problem.pairwise[1],)
    assert slave.anchors[0].tolist() == [[9.0, 9]]
    (shared,) = slave.unary[1]
    assert isinstance(shared, Scaled)
    assert shared.factor == 0.5


def test_a_detached_problem_is_itself(arm):
    assert arm.is_detached
    assert arm.detach() is arm
    single = attrs.evolve(arm.candidates[0], scores=np.float32([1, 2]))
    mixed = attrs.evolve(arm, candidates=(single, *arm.candidates[1:]))
    assert not mixed.is_detached
    changed = mixed.detach()
    assert changed.candidates[0].scores.dtype == np.float64
    assert changed.candidates[1] is arm.candidates[1]


# -- tensors -----------------------------------------------------------------------------------------------------


@given(strategies.problems(forbidden=False), st.data())
def test_tensors_score_as_arrays_do(problem, data):
    torch = pytest.importorskip("torch")
    times = data.draw(
        st.sampled_from([1, 2, FEW + 1])
    )  # of few configurations, many terms are evaluated together
    labels = np.array([[data.draw(st.integers(0, size - 1)) for size in problem.sizes]] * times)
    same = arrays.map_arrays(torch.tensor, problem)
    for given_labels in (labels, torch.tensor(labels)):
        np.testing.assert_allclose(
            same.score(given_labels).numpy(), problem.score(labels), rtol=1e-9, atol=1e-9
        )
    np.testing.assert_array_equal(same.positions(labels).numpy(), problem.positions(labels))
    np.testing.assert_allclose(same.detach().score(labels), problem.score(labels), rtol=1e-12, atol=1e-12)


@given(strategies.problems(forbidden=False, max_size=2, graph=strategies.graphs(max_parts=3)), st.data())
def test_the_score_is_differentiable_in_everything(problem, data):
    torch = pytest.importorskip("torch")
    labels = np.array([[data.draw(st.integers(0, size - 1)) for size in problem.sizes] for _ in range(2)])
    leaves = arrays.leaves(problem)
    # Away from the kink of a distance, where finite differences mean nothing.
    noise = np.random.default_rng(1)
    inputs = [torch.tensor(leaf + noise.uniform(0.1, 0.2, leaf.shape), requires_grad=True) for leaf in leaves]

    def score(*tensors):
        new = iter(tensors)
        return arrays.map_arrays(lambda _: next(new), problem).score(labels)

    # Finite differences of large scores lose the digits that the scores' rounding takes, divided by the step of 1e-6.
    rounding = 1e-8 * float(score(*inputs).detach().abs().max())
    assert torch.autograd.gradcheck(score, inputs, atol=max(1e-5, rounding))


def test_terms_that_problems_share_are_detached_once():
    torch = pytest.importorskip("torch")
    term = Quadratic(weight=torch.ones(3, requires_grad=True), offset=torch.zeros(3))
    problems = [Problem(PAIR, two(), [term]) for _ in range(3)]
    first, *others = detached(problem for problem in problems)
    assert first.is_detached
    assert first.score([0, 1]) == problems[0].detach().score([0, 1])
    assert all(own.pairwise[0] is first.pairwise[0] for own in others)
    assert detached([first])[0] is first


def test_arrays_among_tensors_become_tensors():
    torch = pytest.importorskip("torch")
    positions = torch.zeros((2, 3), requires_grad=True)
    problem = Problem(PAIR, [Candidates(positions, [0.0, 1]), two()[0]], [unit()])
    problem = problem.with_unary(0, EuclideanLoss([1.0, 2, 2]))
    score = problem.score([1, 0])
    assert score.dtype == torch.float32
    score.backward()
    assert positions.grad[1].tolist() == pytest.approx([-1 / 3, -2 / 3, -2 / 3])
    assert positions.grad[0].tolist() == [0, 0, 0]


def test_a_loss_at_its_own_target_has_no_gradient():
    torch = pytest.importorskip("torch")
    positions = torch.zeros((1, 3), requires_grad=True)
    problem = Problem(Topology("a"), [Candidates(positions, [0.0])]).with_unary(0, EuclideanLoss([0.0, 0, 0]))
    problem.score([0]).backward()
    assert positions.grad.tolist() == [[0, 0, 0]]


# -- errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Problem(PAIR, two()[:1], [unit()]),
            "candidates must have one entry per part: the graph has 2, found 1",
        ),
        (
            lambda: Problem(nx.Graph([("a", "b")]), two(), [unit()]),
            r"graph must be a partgraph\.Graph, as Topology\.from_networkx makes one; found networkx\..*\.Graph",
        ),
        (
            lambda: Problem(PAIR, [two()[0], np.zeros((2, 3))], [unit()]),
            r"part 'wrist': expected Candidates\(positions, scores\); found array",
        ),
        (lambda: Problem(PAIR, two()), "pairwise must have one entry per edge: the graph has 1, found 0"),
        (
            lambda: Problem(PAIR, two(), [unit()], [()]),
            "unary must have one entry per part: the graph has 2, found 1",
        ),
        (
            lambda: Problem(PAIR, two(), [unit()], anchors=[None, None]),
            "anchors must have one entry per edge: the graph has 1, found 2",
        ),
        (
            lambda: Problem(PAIR, [two()[0], Candidates(np.zeros((0, 3)), [])], [unit()]),
            r"part 'wrist': positions must have shape \(K, D\) with at least one candidate; found \(0, 3\)",
        ),
        (
            lambda: Problem(PAIR, [Candidates(np.zeros(3), [0.0]), two()[0]], [unit()]),
            r"part 'elbow': positions must have shape \(K, D\) .* found \(3,\)",
        ),
        (
            lambda: Problem(PAIR, [two()[0], two(d=2)[0]], [unit()]),
            "part 'wrist': positions have 2 dimensions, those of 'elbow' have 3",
        ),
        (
            lambda: Problem(PAIR, [two()[0], Candidates(np.zeros((2, 3)), np.zeros(3))], [unit()]),
            r"part 'wrist': scores must have shape \(2,\), one per candidate; found \(3,\)",
        ),
        (
            lambda: Problem(PAIR, two(), [Linear([0.0, 0, 0])]),
            r"edge elbow -> wrist: expected an instance of Pairwise; found Linear\(",
        ),
        (
            lambda: Problem(PAIR, two(), [unit()]).with_unary(1, unit()),
            r"part 'wrist': expected an instance of Unary; found Quadratic\(",
        ),
        (
            lambda: Problem(PAIR, two(), [unit(2)]),
            "edge elbow -> wrist: Quadratic is made for positions with 2 dimensions; these have 3",
        ),
        (
            lambda: Problem(PAIR, two(), [unit()], anchors=[np.zeros((3, 3))]),
            r"edge elbow -> wrist: anchors must have shape \(2, 3\), one per candidate of 'elbow'; found \(3, 3\)",
        ),
        (
            lambda: Problem(PAIR, two(), [unit()]).score([0, 0, 0]),
            r"labels must be whole numbers of shape \(..., 2\), one per part; found int64 of shape \(3,\)",
        ),
        (
            lambda: Problem(PAIR, two(), [unit()]).with_unary(2, Linear([0.0, 0, 0])),
            "part must lie between 0 and 1; found 2",
        ),
        (
            lambda: Problem(PAIR, two(), [unit()]).score([0.0, 1.0]),
            "labels must be whole numbers .* found float64",
        ),
        (
            lambda: Problem(PAIR, two(), [unit()]).score([[0, 1], [0, 2]]),
            "labels of part 'wrist' must lie between 0 and 1; found 1 to 2",
        ),
        (
            lambda: Problem(PAIR, two(), [unit()]).positions([-1, 0]),
            "labels of part 'elbow' must lie between 0 and 1; found -1 to -1",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_users_names(make, message):
    with pytest.raises(ProblemError, match=message):
        make()
