"""From outputs to problems: candidates, anchors and weights, by hand and against NumPy."""

import itertools

import attrs
import numpy as np
import pytest
import torch
from partgraph_volumetric.network import VolumeOutputs, VolumetricResNet

from partgraph import solve
from partgraph.errors import ProblemError
from partgraph.graph import Topology
from partgraph.potentials import Quadratic

PARTS = ("a", "b", "c")
CELLS, BINS, STRIDE = 4, 2, 8
STAR = Topology(PARTS, [(0, 1), (0, 2)])
LOOP = Topology(PARTS, [(0, 1), (1, 2), (2, 0), (1, 0)])
ALONE = Topology(PARTS)


def network(candidates=None, seed=0):
    """Heads with random weights on features that say which cell it is."""
    torch.manual_seed(seed)
    built = VolumetricResNet(
        size=32, stride=STRIDE, bins=BINS, widths=(4, 4, 4, 4), features=6, candidates=candidates
    ).build(PARTS)
    with torch.no_grad():
        for head in (built.residual_head, built.offset_head):
            head.weight.normal_()
            head.bias.normal_()
        built.raw_weight.normal_()
    return built.eval()


def outputs(images=2, seed=1):
    random = torch.Generator().manual_seed(seed)
    return VolumeOutputs(
        features=torch.randn(images, 6, CELLS, CELLS, generator=random),
        voxels=torch.randn(images, 3, BINS, CELLS, CELLS, generator=random),
        maps=torch.zeros(images, 3, CELLS, CELLS),
    )


def voxels():
    """Indices of all voxels in the order of candidates: depth slowest, x fastest."""
    return list(itertools.product(range(BINS), range(CELLS), range(CELLS)))


def best(scores, count):
    """Indices of the best of all voxels, in the order of voxels; all of them when None."""
    return np.sort(np.argsort(-scores.flatten().numpy(), kind="stable")[:count])


def test_candidates_are_centres_plus_residuals():
    """By hand, one voxel at a time: position, score and order."""
    net, out = network(), outputs()
    residuals = net.residuals(out.features)
    for image, problem in enumerate(net.problems(out, STAR)):
        for part in range(3):
            own = problem.candidates[part]
            assert own.positions.shape == (BINS * CELLS * CELLS, 3)
            for k, (z, y, x) in enumerate(voxels()):
                center = [(x + 0.5) * STRIDE, (y + 0.5) * STRIDE, (z + 0.5 - BINS / 2) * STRIDE]
                expected = torch.tensor(center) + residuals[image, part, z, :, y, x]
                torch.testing.assert_close(own.positions[k], expected)
                assert own.scores[k] == out.voxels[image, part, z, y, x]


def test_a_residual_counted_from_the_lower_edge():
    """A head that says (1/4, 1/2, 1) of a voxel, by hand: from the corner with the smallest coordinates."""
    net = VolumetricResNet(
        size=32, stride=STRIDE, bins=BINS, widths=(4, 4, 4, 4), features=6, residual_origin="lower-edge"
    ).build(PARTS)
    with torch.no_grad():
        net.residual_head.weight.zero_()
        net.residual_head.bias.copy_(torch.tensor([0.25, 0.5, 1.0]).repeat(3 * BINS))
    for problem in net.eval().problems(outputs(), STAR):
        for own in problem.candidates:
            for k, (z, y, x) in enumerate(voxels()):
                expected = [(x + 0.25) * STRIDE, (y + 0.5) * STRIDE, (z + 1 - BINS / 2) * STRIDE]
                assert own.positions[k].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("count", [None, 5])
def test_without_residuals_candidates_are_centres(count):
    """The same candidates in the same order, moved back by their residuals; offsets start where they are."""
    net, out = network(count), outputs()
    refined = net.problems(out, STAR)
    net.refined = False
    residuals = net.residuals(out.features).movedim(3, -1).flatten(2, 4)
    for image, (moved, plain) in enumerate(zip(refined, net.problems(out, STAR), strict=True)):
        for part in range(3):
            own, other = moved.candidates[part], plain.candidates[part]
            assert torch.equal(own.scores, other.scores)
            order = best(out.voxels[image, part], count)
            torch.testing.assert_close(own.positions - other.positions, residuals[image, part][order])
            assert (other.positions % STRIDE == STRIDE / 2).all()
        torch.testing.assert_close(
            moved.anchors[0] - moved.candidates[0].positions, plain.anchors[0] - plain.candidates[0].positions
        )


def test_hand_made_outputs():
    """A head that says a quarter of a cell to the right of every voxel, and two cells down to part b."""
    net = network()
    with torch.no_grad():
        for head in (net.residual_head, net.offset_head):
            head.weight.zero_()
            head.bias.zero_()
        net.residual_head.bias.view(3, BINS, 3)[:, :, 0] = 0.25
        net.offset_head.bias.view(3, 3, 3)[0, 1, 1] = 2.0
    problem = net.problems(outputs(), STAR)[0]
    first = problem.candidates[0].positions[0].tolist()
    assert first == pytest.approx([4 + 2, 4, -4])
    assert problem.anchors[0][0].tolist() == pytest.approx([6, 4 + 16, -4])
    assert problem.anchors[1][0].tolist() == pytest.approx(first)


@pytest.mark.parametrize("graph", [STAR, LOOP], ids=["star", "loop"])
@pytest.mark.parametrize("count", [None, 7])
def test_offsets_are_read_at_the_first_parts_own_cell_and_start_at_the_refined_candidate(graph, count):
    net, out = network(count), outputs()
    dense = net.offsets(out.features, graph.edges)  # (B, E, 3, c, c)
    residuals = net.residuals(out.features)
    for image, problem in enumerate(net.problems(out, graph)):
        for e, (i, _) in enumerate(graph.edges):
            assert problem.anchors[e].shape == problem.candidates[i].positions.shape
            for k, voxel in enumerate(best(out.voxels[image, i], count)):
                z, y, x = voxels()[voxel]
                refined = (
                    torch.tensor([(x + 0.5) * STRIDE, (y + 0.5) * STRIDE, (z + 0.5 - BINS / 2) * STRIDE])
                    + residuals[image, i, z, :, y, x]
                )
                torch.testing.assert_close(problem.candidates[i].positions[k], refined)
                torch.testing.assert_close(
                    problem.anchors[e][k], refined + dense[image, e, :, y, x], atol=1e-4, rtol=1e-4
                )


@pytest.mark.parametrize("count", [1, 5, 31, 32, 100])
def test_the_best_voxels_become_candidates(count):
    net, out = network(count), outputs()
    every = network(None).problems(out, STAR)
    for few, all_of_them in zip(net.problems(out, STAR), every, strict=True):
        for part in range(3):
            scores = all_of_them.candidates[part].scores
            kept = best(scores.detach(), count)
            assert len(few.candidates[part]) == min(count, len(scores))
            torch.testing.assert_close(few.candidates[part].scores, scores[kept])
            torch.testing.assert_close(
                few.candidates[part].positions, all_of_them.candidates[part].positions[kept]
            )


def test_candidates_come_in_the_order_of_voxels_whatever_their_scores():
    """Also where scores are equal: then some of the voxels are taken, always the same ones, and none twice."""
    net, out = network(9), outputs()
    net.refined = False
    tied = attrs.evolve(out, voxels=(2 * out.voxels).round())
    one, same = net.problems(tied, ALONE), net.problems(tied, ALONE)
    for problem, again, every in zip(one, same, tied.voxels, strict=True):
        for part, own in enumerate(problem.candidates):
            assert torch.equal(own.positions, again.candidates[part].positions)
            x, y, z = (own.positions / STRIDE - 0.5).T
            number = ((z + BINS / 2) * CELLS + y) * CELLS + x
            assert (number.diff() > 0).all()
            assert torch.equal(own.scores, every[part].flatten()[number.long()])
            assert own.scores.sort().values.equal(every[part].flatten().sort().values[-9:])


def test_pairwise_terms_are_the_calibrated_weights():
    net, out = network(), outputs()
    weights = torch.rand(3, 3, 3) + 0.1
    net.set_pairwise_weights(weights)
    for problem in net.problems(out, LOOP, pairwise_scale=0.3):
        for (i, j), term in zip(LOOP.edges, problem.pairwise, strict=True):
            assert isinstance(term, Quadratic)
            torch.testing.assert_close(term.weight, 0.3 * weights[i, j])
            assert not term.offset.any()


def test_without_edges_every_part_takes_its_best_voxel():
    net, out = network(), outputs()
    for image, problem in enumerate(net.problems(out, ALONE)):
        solution = solve(problem, "dynamic-programming")
        highest = out.voxels[image].flatten(1).argmax(1)
        assert solution.labels[0].tolist() == highest.tolist()
        assert solution.scores[0] == pytest.approx(
            out.voxels[image].flatten(1).amax(1).sum().item(), rel=1e-6
        )


@pytest.mark.parametrize(
    "graph",
    [
        Topology(("a", "b")),
        Topology(("a", "c", "b"), [(0, 1)]),
        Topology(("a", "b", "c", "d")),
        Topology(("x", "y", "z")),
    ],
)
def test_graphs_over_other_parts_are_refused(graph):
    net = network()
    with pytest.raises(ProblemError, match="the network scores the parts a, b, c") as caught:
        net.problems(outputs(), graph)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("graph", [STAR, LOOP], ids=["star", "loop"])
def test_scores_of_tensors_and_of_numbers_agree(graph):
    """A problem is solved in NumPy and learned in torch; eq. 2 is the same in both, and by hand."""
    net, out = network(), outputs()
    random = np.random.default_rng(0)
    for problem in net.problems(out, graph):
        labels = random.integers(0, 32, (6, 3))
        as_tensor = problem.score(labels).detach().numpy()
        as_numbers = problem.detach().score(labels)
        np.testing.assert_allclose(as_tensor, as_numbers, rtol=1e-4)
        for row, score in zip(labels, as_numbers, strict=True):
            by_hand = sum(float(problem.candidates[i].scores[v]) for i, v in enumerate(row))
            for e, (i, j) in enumerate(graph.edges):
                gap = problem.candidates[j].positions[row[j]] - problem.anchors[e][row[i]]
                by_hand -= (problem.pairwise[e].weight * gap**2).sum().item()
            assert score == pytest.approx(by_hand, rel=1e-4)


def test_solving_finds_the_best_score_of_the_tensor_problem():
    net, out = network(6), outputs()
    for problem in net.problems(out, LOOP):
        solution = solve(problem, "exhaustive")
        every = np.array(list(itertools.product(range(6), repeat=3)))
        scores = problem.score(every).detach().numpy()
        assert solution.labels[0].tolist() == every[scores.argmax()].tolist()
        assert solution.scores[0] == pytest.approx(scores.max(), rel=1e-4)


@pytest.mark.parametrize("count", [None, 5])
def test_the_score_is_differentiable_down_to_every_head(count):
    net = network(count)
    images = torch.rand(2, 3, 32, 32)
    problems = net.problems(net(images), LOOP)
    sum(problem.score([[0, 1, 2]]).sum() for problem in problems).backward()
    for name in ("voxel_head", "residual_head", "offset_head"):
        head = getattr(net, name)
        assert float(head.weight.grad.abs().sum()) > 0, name
        assert float(head.bias.grad.abs().sum()) > 0, name
    coupled = net.raw_weight.grad.abs().sum(-1) > 0
    assert {(int(i), int(j)) for i, j in coupled.nonzero()} == set(LOOP.edges)
    assert float(net.trunk.trunk.conv1.weight.grad.abs().sum()) > 0


@pytest.mark.parametrize("count", [None, 31])
def test_gradients_are_those_of_finite_differences(count):
    net = network(count).double()
    out = outputs(1)
    features = out.features.double().requires_grad_()
    voxels = out.voxels.double().requires_grad_()

    def score(features, voxels):
        problem = net.problems(attrs.evolve(out, features=features, voxels=voxels), LOOP)[0]
        return problem.score([[3, 17, 30], [8, 8, 8]])

    assert torch.autograd.gradcheck(score, (features, voxels), fast_mode=True)


def test_the_other_images_do_not_matter():
    net, out = network(7), outputs(4)
    alone = attrs.evolve(out, features=out.features[2:3], voxels=out.voxels[2:3], maps=out.maps[2:3])
    one, same = net.problems(alone, LOOP)[0], net.problems(out, LOOP)[2]
    for part in range(3):
        torch.testing.assert_close(one.candidates[part].positions, same.candidates[part].positions)
    for e in range(4):
        torch.testing.assert_close(one.anchors[e], same.anchors[e], atol=1e-4, rtol=1e-4)
