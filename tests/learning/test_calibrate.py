"""Pairwise weights from residuals, and the baseline that ignores the image."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

torch = pytest.importorskip("torch")

from partgraph.graph import Topology  # noqa: E402
from partgraph.learning.baselines import mean_pose  # noqa: E402
from partgraph.learning.calibrate import pairwise_scales, pairwise_weights  # noqa: E402
from partgraph.learning.dataset import Dataset, Sample  # noqa: E402
from partgraph.learning.model import Network  # noqa: E402
from partgraph.metrics import reconstruction_error  # noqa: E402
from partgraph.potentials import Quadratic  # noqa: E402
from partgraph.problem import Candidates, Problem  # noqa: E402

PARTS = ("a", "b", "c")


class Noisy(Dataset):
    """Targets of sample k are drawn from Gaussians whose sigmas are known."""

    parts, limbs, flip, root, groups = PARTS, (("a", "b"),), (0, 1, 2), 0, ("only",)

    def __init__(self, count, sigma, outliers=0):
        random = np.random.default_rng(0)
        self.target = random.normal(size=(count, 3, 3)) * sigma
        self.target[: int(outliers * count)] *= 30

    def __len__(self):
        return len(self.target)

    def __getitem__(self, index):
        target = self.target[index].astype(np.float32)
        return Sample(np.zeros((2, 2, 3), np.uint8), target, target, np.ones(3, bool), "only")


class Constant(Network):
    """Expects every part at the origin, displacements of zero."""

    parts, input_size = PARTS, 2

    def forward(self, images):
        return images.shape[0]

    def problems(self, outputs, graph, *, pairwise_scale=1.0):
        raise NotImplementedError

    def offset_residuals(self, outputs, target):
        return target[:, None] - target[:, :, None]

    def set_pairwise_weights(self, weights):
        raise NotImplementedError


SIGMA = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [0.5, 8.0, 1.0]])


def test_weights_recover_known_sigmas():
    weights = pairwise_weights(Constant(), Noisy(4000, SIGMA), batch_size=512).numpy()
    assert weights.shape == (3, 3, 3)
    variance = SIGMA[:, None] ** 2 + SIGMA[None] ** 2  # of the difference of two independent Gaussians
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(weights[off], 1 / (2 * variance[off]), rtol=0.12)


def test_weights_withstand_outliers():
    """One sample in a hundred with residuals thirty times too large would halve no sigma but of the squares."""
    clean, dirty = (pairwise_weights(Constant(), Noisy(4000, SIGMA, share)).numpy() for share in (0, 0.01))
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(dirty[off], clean[off], rtol=0.06)


def test_weights_are_finite_where_a_displacement_is_known_exactly():
    weights = pairwise_weights(Constant(), Noisy(50, 0.0))
    assert torch.allclose(weights, torch.tensor(1 / (2 * 0.25**2)))


def test_weights_of_one_sample():
    data = Noisy(1, SIGMA)
    weights = pairwise_weights(Constant(), data).numpy()
    residual = np.abs(data.target[0][None] - data.target[0][:, None])
    np.testing.assert_allclose(weights, 1 / (2 * np.maximum(residual, 0.25) ** 2), rtol=1e-5)


class Scored(Constant):
    """Part c has a near and a far candidate: a weak pairwise term leaves it the far one, a strong one the near."""

    def problems(self, outputs, graph, *, pairwise_scale=1.0):
        candidates = [
            Candidates(np.array([[0.0, 0, 0]]), np.array([0.0])),
            Candidates(np.array([[1.0, 0, 0]]), np.array([0.0])),
            Candidates(np.array([[0.0, 1, 0], [0.0, 9, 0]]), np.array([0.0, 5.0])),
        ]
        weight = np.full(3, 0.1 * pairwise_scale)
        terms = [Quadratic(weight, np.zeros(3)) for _ in graph.edges]
        return [Problem(graph, candidates, terms) for _ in range(outputs)]


class Posed(Noisy):
    def __init__(self, count, far):
        self.target = np.tile(np.array([[0.0, 0, 0], [1, 0, 0], [0, 9 if far else 1, 0]]), (count, 1, 1))


@pytest.mark.parametrize(("far", "expected"), [(True, 0.1), (False, 1.0)])
def test_scales_minimise_the_error(far, expected):
    graphs = {
        "none": Topology(PARTS),
        "chain": Topology(PARTS, [(0, 1), (1, 2)]),
    }
    told = []
    scales = pairwise_scales(
        Scored(),
        Posed(30, far),
        graphs,
        "dynamic-programming",
        scales=(0.1, 1.0, 3.0),
        advance=lambda *what: told.append(what),
    )
    assert scales == {"chain": expected}
    assert [(name, scale) for name, scale, _ in told] == [("chain", 0.1), ("chain", 1.0), ("chain", 3.0)]
    errors = {scale: error for _, scale, error in told}
    assert errors[expected] == pytest.approx(0, abs=1e-6)
    assert (errors[0.1] > 0.1) == (not far)


def test_scales_use_the_first_samples_only():
    data = Posed(30, True)
    data.target[1:, 2, 1] = 1
    graphs = {"chain": Topology(PARTS, [(0, 1), (1, 2)])}
    found = {
        count: pairwise_scales(
            Scored(), data, graphs, "dynamic-programming", scales=(0.1, 1.0), samples=count
        )["chain"]
        for count in (1, 30)
    }
    assert found == {1: 0.1, 30: 1.0}


def similar(pose, count, random, spread=0.0):
    turn = Rotation.random(count, random_state=random).as_matrix()
    moved = (pose + random.normal(0, spread, (count, *pose.shape)) if spread else pose) @ turn.transpose(
        0, 2, 1
    )
    return moved * random.uniform(0.5, 2, (count, 1, 1)) + random.normal(0, 1000, (count, 1, 3))


def test_mean_pose_recovers_a_pose_seen_under_similarities():
    random = np.random.default_rng(0)
    pose = random.normal(0, 300, (16, 3))
    mean = mean_pose(similar(pose, 40, random))
    assert mean.shape == (16, 3)
    assert reconstruction_error(mean, pose) < 1e-6


def test_mean_pose_beats_every_single_pose():
    random = np.random.default_rng(1)
    pose = random.normal(0, 300, (16, 3))
    poses = similar(pose, 60, random, spread=80)
    ours = reconstruction_error(mean_pose(poses)[None], poses).mean()
    singles = [reconstruction_error(single[None], poses).mean() for single in poses]
    assert ours < min(singles)


def test_mean_pose_beats_the_mean_of_poses_that_were_not_aligned():
    random = np.random.default_rng(2)
    pose = random.normal(0, 300, (16, 3))
    poses = similar(pose, 60, random, spread=80)
    naive = (poses - poses.mean(1, keepdims=True)).mean(0)
    ours = reconstruction_error(mean_pose(poses)[None], poses).mean()
    assert ours < 0.9 * reconstruction_error(naive[None], poses).mean()


def test_mean_pose_has_the_average_size_and_is_no_mirror_image():
    random = np.random.default_rng(3)
    pose = random.normal(0, 300, (16, 3))
    poses = similar(pose, 30, random)
    size = np.linalg.norm(poses - poses.mean(1, keepdims=True), axis=(1, 2)).mean()
    mean = mean_pose(poses)
    assert np.linalg.norm(mean - mean.mean(0)) == pytest.approx(size)
    assert reconstruction_error(mean * [-1, 1, 1], pose) > 50


def test_mean_pose_of_one_pose_is_that_pose():
    pose = np.random.default_rng(4).normal(0, 300, (16, 3))
    np.testing.assert_allclose(mean_pose(pose[None]), pose - pose.mean(0), atol=1e-9)
