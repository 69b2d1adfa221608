"""The structured hinge against its definition, written out over all configurations."""

import itertools

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from partgraph import Candidates, Problem, Quadratic, Topology, plugins  # noqa: E402
from partgraph.errors import SolveManyError, UnknownComponentError  # noqa: E402
from partgraph.learning.batches import collate  # noqa: E402
from partgraph.learning.experiment import Choice  # noqa: E402
from partgraph.learning.model import Batch, Network  # noqa: E402
from partgraph.learning.search import InexactWarning  # noqa: E402
from partgraph.learning.strict import ExperimentError  # noqa: E402
from partgraph.learning.structured import (  # noqa: E402
    StructuredHinge,
    augmented,
    truth_labels,
)
from partgraph.testing import strategies  # noqa: E402

PARTS = ("a", "b", "c")
GRAPHS = {
    "alone": Topology(PARTS, []),
    "chain": Topology(PARTS, [(0, 1), (2, 1)]),
    "loop": Topology(PARTS, [(0, 1), (1, 2), (2, 0), (0, 2)]),
}
SIZES = (4, 3, 5)

seeds = st.integers(0, 2**32 - 1)
graphs = st.sampled_from(sorted(GRAPHS))


@pytest.fixture(autouse=True, scope="module")
def known_graphs():
    """The graphs above and nothing else, by name."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        original = plugins.get
        monkeypatch.setattr(plugins, "get", lambda kind, name: GRAPHS.get(name) or original(kind, name))
        yield


class Table(Network):
    """A network that is nothing but its outputs: candidates, anchors and weights of a batch, all free to learn."""

    parts = PARTS

    def __init__(self, seed, graph, count=2, forbidden=False):
        super().__init__()
        random = np.random.default_rng(seed)
        self.topology = GRAPHS[graph]

        def parameter(*shape, scale):
            return torch.nn.Parameter(torch.from_numpy(random.normal(0, scale, shape)))

        self.scores = torch.nn.ParameterList(parameter(count, size, scale=3) for size in SIZES)
        self.positions = torch.nn.ParameterList(parameter(count, size, 3, scale=4) for size in SIZES)
        edges = self.topology.edges
        self.offsets = torch.nn.ParameterList(parameter(count, SIZES[i], 3, scale=2) for i, _ in edges)
        self.raw = parameter(len(edges), 3, scale=0.5)
        if forbidden:
            with torch.no_grad():
                for own in self.scores:
                    own[:, 1] = -torch.inf

    def forward(self, images):
        return None

    def problems(self, outputs, graph, *, pairwise_scale=1.0):
        assert graph is self.topology
        weights = torch.nn.functional.softplus(self.raw) / 10 * pairwise_scale
        return [
            Problem(
                graph,
                [Candidates(p[b], s[b]) for p, s in zip(self.positions, self.scores, strict=True)],
                [Quadratic(weights[e], torch.zeros(3, dtype=torch.float64)) for e in range(len(graph.edges))],
                anchors=[self.positions[i][b] + self.offsets[e][b] for e, (i, _) in enumerate(graph.edges)],
            )
            for b in range(len(self.scores[0]))
        ]

    def offset_residuals(self, outputs, target):
        raise NotImplementedError

    def set_pairwise_weights(self, weights):
        raise NotImplementedError


def batch_of(target):
    target = torch.as_tensor(target)
    return Batch(torch.zeros(len(target), 3, 1, 1), target, torch.ones(target.shape[:2], dtype=torch.bool))


def targets(seed, count=2):
    return np.random.default_rng([seed, 1]).normal(0, 4, (count, 3, 3))


def hinge(network, target, **options):
    loss = StructuredHinge(**options)
    terms = loss(network, network(None), batch_of(target))
    assert set(terms) == {"hinge"}
    return terms["hinge"]


def by_definition(problem, target, margin, radius, n_best):
    """Slacks of the `n_best` configurations that violate eq. 9 most, of all configurations there are."""
    truth = []
    for own, true in zip(problem.candidates, target, strict=True):
        distance = [
            np.linalg.norm(p - true) if s > -np.inf else np.inf
            for p, s in zip(own.positions, own.scores, strict=True)
        ]
        near = [k for k in range(len(own)) if distance[k] <= radius]
        truth.append(max(near, key=lambda k: own.scores[k]) if near else int(np.argmin(distance)))
    slacks = []
    for labels in itertools.product(*map(range, problem.sizes)):
        score = float(problem.score(np.array(labels)))
        if score > -np.inf:
            mean = np.mean(
                [
                    np.linalg.norm(own.positions[k] - true)
                    for own, k, true in zip(problem.candidates, labels, target, strict=True)
                ]
            )
            slacks.append(score + margin * mean - float(problem.score(np.array(truth))))
    return np.maximum(sorted(slacks, reverse=True)[:n_best], 0)


REDUCED = {"mean": np.mean, "sum": np.sum, "max": np.max}


@settings(max_examples=30, deadline=None)
@given(
    seeds,
    graphs,
    st.sampled_from([0.1, 1.0, 7.0]),
    st.sampled_from([0.0, 3.0, 100.0]),
    st.sampled_from([1, 5, 1000]),
    st.sampled_from(sorted(REDUCED)),
    st.sampled_from(["fixed", "free"]),
    st.booleans(),
)
def test_value_is_that_of_the_definition(seed, graph, margin, radius, n_best, reduction, scale, forbidden):
    network, target = Table(seed, graph, forbidden=forbidden), targets(seed)
    expected = np.mean(
        [
            REDUCED[reduction](by_definition(problem.detach(), own, margin, radius, n_best))
            for problem, own in zip(network.problems(None, GRAPHS[graph]), target, strict=True)
        ]
    )
    found = hinge(
        network,
        target,
        graph=graph,
        solver="exhaustive",
        margin=margin,
        radius=radius,
        n_best=n_best,
        reduction=reduction,
        unary_scale=scale,
    )
    assert found.item() >= 0
    np.testing.assert_allclose(found.item(), expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(strategies.problems(unary=True), seeds, st.sampled_from([0.01, 1.0, 30.0]))
def test_augmented_score_is_score_plus_margin(problem, seed, margin):
    random = np.random.default_rng(seed)
    target = random.normal(0, 20, (len(problem.graph.parts), problem.dimensions))
    labels = np.stack([random.integers(0, size, 7) for size in problem.sizes], -1)
    distance = np.linalg.norm(problem.positions(labels) - target, axis=-1).mean(-1)
    score = problem.score(labels)
    expected = score + margin * distance
    np.testing.assert_allclose(
        augmented(problem, target, margin).score(labels), expected, rtol=1e-9, atol=1e-6
    )
    tensors = attrs.evolve(
        problem,
        candidates=[Candidates(torch.from_numpy(c.positions), c.scores) for c in problem.candidates],
    )
    in_torch = augmented(tensors, torch.from_numpy(target), margin).score(labels)
    np.testing.assert_allclose(in_torch.numpy(), expected, rtol=1e-9, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from(["chain", "loop"]), st.sampled_from(["mean", "sum", "max"]))
def test_gradients_are_those_of_finite_differences(seed, graph, reduction):
    """Of scores, positions, anchors and c before its softplus, along a random direction of each of them."""
    network, target = Table(seed, graph), targets(seed)
    options = {"graph": graph, "solver": "exhaustive", "n_best": 6, "radius": 3.0, "reduction": reduction}
    hinge(network, target, unary_scale="free", **options).backward()
    random = torch.Generator().manual_seed(seed)
    for parameters in (network.scores, network.positions, network.offsets, [network.raw]):
        direction = [torch.randn(own.shape, generator=random, dtype=torch.float64) for own in parameters]
        slope = sum((own.grad * way).sum().item() for own, way in zip(parameters, direction, strict=True))
        values = []
        for length in (1e-6, -2e-6):  # from where one is to the other side
            with torch.no_grad():
                for own, way in zip(parameters, direction, strict=True):
                    own += length * way
            values.append(hinge(network, target, unary_scale="free", **options).item())
        assert slope == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-4, abs=1e-5)


def gradients(network, target, **options):
    """Gradients of the scores, one array for each part."""
    network.zero_grad()
    hinge(network, target, **options).backward()
    return [own.grad.numpy().copy() for own in network.scores]


@settings(max_examples=30, deadline=None)
@given(seeds, graphs, st.booleans())
def test_a_fixed_scale_takes_that_component_out_of_the_gradient(seed, graph, forbidden):
    network, target = Table(seed, graph, count=1, forbidden=forbidden), targets(seed, 1)
    options = {"graph": graph, "solver": "exhaustive", "n_best": 4, "radius": 0.0}
    free = gradients(network, target, unary_scale="free", **options)
    fixed = gradients(network, target, unary_scale="fixed", **options)
    scores = [own.detach().numpy() for own in network.scores]
    for own in (*free, *fixed):
        assert np.isfinite(own).all()
        np.testing.assert_allclose(own.sum(), 0, atol=1e-12)
    along = sum((g[g != 0] * u[g != 0]).sum() for g, u in zip(fixed, scores, strict=True))
    np.testing.assert_allclose(along, 0, atol=1e-9)
    # What was taken out is a multiple of the centered scores of the candidates compared.
    problem = network.problems(None, GRAPHS[graph])[0].detach()
    found = plugins.get("solver", "exhaustive")().compute(augmented(problem, target[0]), None, 4).labels
    compared = np.vstack([truth_labels(problem, target[0], 0.0), found])
    centered = []
    for part, u in enumerate(scores):
        own = np.zeros_like(u)
        chosen = np.unique(compared[:, part])
        own[:, chosen] = u[:, chosen] - u[:, chosen].mean()
        centered.append(own)
    direction = np.concatenate([own.ravel() for own in centered])
    g, h = (np.concatenate([own.ravel() for own in each]) for each in (free, fixed))
    if np.linalg.norm(direction) > 0:
        direction /= np.linalg.norm(direction)
        np.testing.assert_allclose(h, g - (g @ direction) * direction, atol=1e-9)


@pytest.mark.parametrize("scale", ["fixed", "free"])
def test_one_candidate_has_no_scale(scale):
    """Equal scores: there is no direction to take out, and nothing divided by zero."""
    network = Table(0, "chain", count=1)
    with torch.no_grad():
        for own in network.scores:
            own.fill_(2.0)
    for own in gradients(network, targets(0, 1), graph="chain", solver="exhaustive", unary_scale=scale):
        assert np.isfinite(own).all()


def test_truth_is_the_best_scored_candidate_near_the_joint_or_the_nearest():
    own = Candidates([[0.0, 0], [3, 0], [-4, 0], [50, 0]], [1.0, 2, 5, 9])
    problem = Problem(Topology("a", []), [own])

    def truth(x, radius):
        return truth_labels(problem, np.array([[x, 0.0]]), radius).tolist()

    assert truth(0.4, 0.0) == [0]
    assert truth(0.4, 3.0) == [1]  # candidate 2 is 4.4 away
    assert truth(0.4, 4.5) == [2]
    assert truth(0.4, 1000.0) == [3]
    assert truth(20.0, 8.0) == [1]  # nothing near, the nearest
    forbidden = attrs.evolve(problem, candidates=[Candidates(own.positions, [-np.inf, 2, 5, 9])])
    assert truth_labels(forbidden, np.array([[0.4, 0.0]]), 0.0).tolist() == [1]


def separated(seed, graph):
    """A table whose first candidates are the truth, and score low."""
    network, target = Table(seed, graph, count=3), targets(seed, 3)
    with torch.no_grad():
        for part in range(3):
            network.positions[part][:, 0] = torch.from_numpy(target[:, part])
            network.scores[part][:, 0] = network.scores[part].min() - 1
    return network, target


@pytest.mark.parametrize("graph", ["alone", "chain", "loop"])
def test_the_loss_falls_until_the_truth_wins_by_the_margin(graph):
    network, target = separated(5, graph)
    options = {"graph": graph, "solver": "exhaustive", "radius": 0.0, "unary_scale": "free"}
    losses = [hinge(network, target, **options)]
    while losses[-1] > 0 and len(losses) < 100:
        network.zero_grad()
        losses[-1].backward()
        length = losses[-1].item() / sum(own.grad.square().sum().item() for own in network.scores)
        with torch.no_grad():  # the loss is convex in the scores: a Polyak step, and half of one more
            for own in network.scores:
                own -= 1.5 * length * own.grad
        losses.append(hinge(network, target, **options))
    assert losses[0] > 1
    assert losses[-1] == 0
    for problem, true in zip(network.problems(None, GRAPHS[graph]), target, strict=True):
        numbers = problem.detach()
        every = np.array(list(itertools.product(*map(range, SIZES))))
        distance = np.linalg.norm(numbers.positions(every) - true, axis=-1).mean(-1)
        assert (numbers.score(np.zeros(3, int)) + 1e-9 >= numbers.score(every) + distance).all()


def test_shrinking_all_scores_lowers_a_free_loss_and_not_a_fixed_one():
    """The trap: for wrong answers with large scores the steepest way down is to care less, which mends nothing."""
    network, target = separated(5, "alone")
    options = {"graph": "alone", "solver": "exhaustive", "radius": 0.0}
    along = {}
    for scale in ("free", "fixed"):
        found = gradients(network, target, unary_scale=scale, **options)
        along[scale] = sum((g * u.detach().numpy()).sum() for g, u in zip(found, network.scores, strict=True))
    assert along["free"] > 1
    assert along["fixed"] == pytest.approx(0, abs=1e-9)


@pytest.fixture
def threads():
    yield torch.set_num_threads
    torch.set_num_threads(1)


def test_the_number_of_threads_changes_no_bit(threads):
    found = []
    for count in (1, 2, 5):
        threads(count)
        network = Table(3, "loop", count=7)
        loss = hinge(network, targets(3, 7), graph="loop", solver="exhaustive")
        loss.backward()
        found.append([loss.detach(), *(p.grad for p in network.parameters())])
    for other in found[1:]:
        assert all(torch.equal(one, two) for one, two in zip(found[0], other, strict=True))


def test_an_error_in_a_thread_is_raised(threads):
    threads(2)
    network = Table(3, "loop", count=3)
    with torch.no_grad():
        network.scores[1][2, 0] = torch.nan
    with pytest.raises(SolveManyError, match="place 2: SolveError: part 'b': scores must be finite"):
        hinge(network, targets(3, 3), graph="loop", solver="exhaustive")


@pytest.mark.parametrize("number", [1, 3])
def test_a_solver_of_batches_is_handed_batches(threads, toy, number):
    """With an executor it would be asked for one problem at a time, which `together` refuses."""
    threads(number)
    network, target = Table(3, "chain", count=6), targets(3, 6)
    one, other = (
        hinge(network, target, graph="chain", solver=solver) for solver in ("together", "dynamic-programming")
    )
    assert torch.equal(one, other)


def test_a_solver_that_proves_nothing_is_said_so(toy):
    with pytest.warns(InexactWarning, match="greedy did not prove .* 20 most violated"):
        value = hinge(Table(1, "chain"), targets(1), graph="chain", solver="greedy")
    assert (
        value.item()
        <= hinge(Table(1, "chain"), targets(1), graph="chain", solver="exhaustive", n_best=1).item()
    )


def test_the_default_solver_is_chosen_by_the_plugins():
    network, target = Table(1, "loop"), targets(1)
    assert hinge(network, target, graph="loop").item() == pytest.approx(
        hinge(network, target, graph="loop", solver="exhaustive").item()
    )


def test_samples_without_depth_take_no_part():
    """The mean is taken over the others, and their gradients are the same."""
    network, target = Table(0, "chain", count=3), targets(0, 3)
    target[1, 2, 2] = np.nan
    loss = hinge(network, target, graph="chain", solver="exhaustive")
    loss.backward()
    alone, kept = Table(0, "chain", count=3), [0, 2]
    with torch.no_grad():
        for own in (*alone.scores, *alone.positions, *alone.offsets):
            own.data = own.data[kept]
    expected = hinge(alone, target[kept], graph="chain", solver="exhaustive")
    expected.backward()
    assert torch.equal(loss, expected)
    for one, other in zip(network.parameters(), alone.parameters(), strict=True):
        at = one.grad if one is network.raw else one.grad[kept]
        assert torch.equal(at, other.grad)
    assert not any(own.grad[1].any() for own in network.scores)


def test_without_any_depth_the_loss_is_zero_and_has_a_gradient():
    network, target = Table(0, "chain"), targets(0)
    target[..., 2] = np.nan
    loss = hinge(network, target, graph="chain", solver="exhaustive")
    loss.backward()
    assert loss.item() == 0
    assert not any(parameter.grad.any() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({}, ExperimentError, "loss 'structured-hinge': graph: is missing"),
        ({"graph": "dotty"}, UnknownComponentError, "no graph named 'dotty'"),
        ({"graph": "two-dots"}, ExperimentError, "graph 'two-dots' couples the parts red, green, but"),
        ({"graph": "dots-star", "solver": "dotty"}, UnknownComponentError, "no solver named 'dotty'"),
        ({"graph": "dots-star", "n_best": 0}, ExperimentError, "n_best"),
        ({"graph": "dots-star", "margin": 0.0}, ExperimentError, "margin"),
        ({"graph": "dots-star", "radius": -1.0}, ExperimentError, "radius"),
        ({"graph": "dots-star", "reduction": "median"}, ExperimentError, "one of 'mean', 'sum', 'max'"),
        ({"graph": "dots-star", "unary_scale": "loose"}, ExperimentError, "one of 'fixed', 'free'"),
        ({"graph": "dots-star", "k": 20}, ExperimentError, "no such key: k"),
    ],
)
def test_what_is_wrong_is_said_before_training(toy, options, error, words):
    with pytest.raises(error) as caught:
        Choice("structured-hinge", options).build("loss").check(toy.PARTS)
    assert words in str(caught.value)


def test_any_network_will_do(toy, experiment):
    data = experiment.dataset("train")
    torch.manual_seed(0)
    network = experiment.build_network(data.parts)
    batch = collate([data[k] for k in range(4)])
    loss = StructuredHinge("dots-chain", "dynamic-programming")
    loss(network, network(batch.images), batch)["hinge"].backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
