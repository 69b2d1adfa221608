import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph.metrics import (
    aligned_distances,
    area_under_curve,
    correct_parts,
    reconstruction_error,
    rooted_distances,
    similarity_transform,
)
from partgraph.testing import strategies


def rotation(angles):
    a, b, c = angles
    z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    x = np.array([[1, 0, 0], [0, np.cos(c), -np.sin(c)], [0, np.sin(c), np.cos(c)]])
    return z @ y @ x


poses = strategies.arrays(shape=(6, 3))
angles = st.tuples(*(st.floats(-4, 4),) * 3)


@given(poses, angles, st.floats(0.1, 10), strategies.arrays(shape=(3,)))
def test_a_moved_pose_has_no_error(pose, turn, scale, shift):
    moved = scale * pose @ rotation(turn).T + shift
    assert reconstruction_error(pose, moved) < 1e-6
    transform = similarity_transform(pose, moved)
    np.testing.assert_allclose(transform(pose), moved, atol=1e-6)
    assert np.linalg.det(transform.rotation) == pytest.approx(1)


def residual(source, target, matrix):
    """Squared error at the best scale and shift for a given rotation, by hand."""
    x = (source - source.mean(0)) @ matrix.T
    y = target - target.mean(0)
    scale = max((x * y).sum() / (x**2).sum(), 0.0)
    return ((scale * x - y) ** 2).sum()


def test_no_rotation_is_better(rng):
    for _ in range(20):
        source, target = rng.normal(size=(2, 5, 3))
        if rng.random() < 0.5:
            target = target * [1, 1, -1]  # where a mirror image would fit better
        ours = similarity_transform(source, target)
        best = residual(source, target, ours.rotation)
        np.testing.assert_allclose(((ours(source) - target) ** 2).sum(), best)
        near = [ours.rotation @ rotation(rng.normal(0, 0.05, 3)) for _ in range(200)]
        far = [rotation(rng.uniform(-4, 4, 3)) for _ in range(2000)]
        assert min(residual(source, target, matrix) for matrix in near + far) >= best - 1e-9


def test_a_mirror_image_is_not_the_same_pose(rng):
    pose = rng.normal(size=(16, 3)) * 300
    assert reconstruction_error(pose * [-1, 1, 1], pose) > 50
    assert np.linalg.det(similarity_transform(pose * [-1, 1, 1], pose).rotation) == pytest.approx(1)


def test_flat_poses_have_a_proper_rotation(rng):
    flat = rng.normal(size=(8, 3)) * [1, 1, 0]
    turned = flat @ rotation((1, 2, 3)).T
    transform = similarity_transform(flat, turned)
    assert np.linalg.det(transform.rotation) == pytest.approx(1)
    np.testing.assert_allclose(transform(flat), turned, atol=1e-9)


def test_points_that_coincide(rng):
    pose, point = rng.normal(size=(5, 3)), np.ones((5, 3)) * 7
    from_point = similarity_transform(point, pose)
    assert from_point.scale == 1
    np.testing.assert_array_equal(from_point.rotation, np.eye(3))
    np.testing.assert_allclose(from_point(point), np.tile(pose.mean(0), (5, 1)))
    expected = np.linalg.norm(pose - pose.mean(0), axis=1).mean()
    np.testing.assert_allclose(reconstruction_error(point, pose), expected)
    assert reconstruction_error(pose, point) == pytest.approx(0)
    assert reconstruction_error(point, point) == pytest.approx(0)
    assert reconstruction_error(np.ones((1, 3)), np.zeros((1, 3))) == 0


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e6 / 7, 1e-9])
def test_points_that_coincide_up_to_the_rounding_of_their_mean(rng, value):
    transform = similarity_transform(np.full((7, 3), value), rng.normal(size=(7, 3)))
    assert transform.scale == 1
    np.testing.assert_array_equal(transform.rotation, np.eye(3))


def test_leading_axes(rng):
    predicted, truth = rng.normal(size=(2, 4, 3, 16, 3))
    errors = reconstruction_error(predicted, truth)
    assert errors.shape == (4, 3)
    np.testing.assert_allclose(errors[2, 1], reconstruction_error(predicted[2, 1], truth[2, 1]))
    np.testing.assert_allclose(
        reconstruction_error(predicted[0, 0], truth)[2, 1], reconstruction_error(predicted[0, 0], truth[2, 1])
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_pose_that_is_not_finite_has_no_error_and_spoils_no_other(rng, value):
    predicted, truth = rng.normal(size=(2, 3, 16, 3))
    whole = reconstruction_error(predicted, truth)
    predicted[1, 4, 2] = value
    errors = reconstruction_error(predicted, truth)
    assert np.isnan(errors[1])
    np.testing.assert_array_equal(errors[[0, 2]], whole[[0, 2]])


@pytest.mark.parametrize("shape", [(3,), (0, 3)])
def test_what_is_no_pose_is_refused(shape):
    with pytest.raises(ValueError, match=r"poses must have shape \(..., N, D\)"):
        reconstruction_error(np.zeros(shape), np.zeros(shape))


def test_two_dimensions(rng):
    pose = rng.normal(size=(7, 2))
    turn = np.array([[0.0, -1], [1, 0]])
    assert reconstruction_error(pose, 3 * pose @ turn.T + 5) == pytest.approx(0)


def test_aligned_distances_have_the_reconstruction_error_as_their_mean(rng):
    predicted, truth = rng.normal(size=(2, 5, 6, 3))
    distances = aligned_distances(predicted, truth)
    assert distances.shape == (5, 6)
    np.testing.assert_allclose(distances.mean(-1), reconstruction_error(predicted, truth))
    one = similarity_transform(predicted[2], truth[2])(predicted[2])
    np.testing.assert_allclose(
        distances[2], [np.linalg.norm(a - b) for a, b in zip(one, truth[2], strict=True)]
    )


@given(poses, st.floats(0.1, 10), strategies.arrays(shape=(3,)), st.integers(0, 5))
def test_place_and_size_do_not_count_from_the_root(pose, scale, shift, root):
    np.testing.assert_allclose(rooted_distances(pose, scale * pose + shift, root), 0, atol=1e-6)


def test_a_turned_pose_counts_from_the_root():
    """By hand: a stick of length 1 and 2, turned by a right angle. The best size is 0, as nothing overlaps."""
    stick = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])
    turned = stick[:, [1, 0, 2]]
    np.testing.assert_allclose(rooted_distances(stick, turned, 0), [0, 1, 2])
    np.testing.assert_allclose(aligned_distances(stick, turned), 0, atol=1e-12)


def test_no_size_is_better_from_the_root(rng):
    for _ in range(20):
        predicted, truth = rng.normal(size=(2, 6, 3))
        best = (rooted_distances(predicted, truth, 2) ** 2).sum()
        x, y = predicted - predicted[2], truth - truth[2]
        for size in np.linspace(-3, 3, 61):
            assert best <= ((size * x - y) ** 2).sum() + 1e-9


def test_from_the_root_a_pose_in_one_point_has_the_truths_own_extent(rng):
    truth = rng.normal(size=(4, 3))
    expected = np.linalg.norm(truth - truth[1], axis=-1)
    np.testing.assert_allclose(rooted_distances(np.ones((4, 3)), truth, 1), expected)


def test_a_pose_that_is_not_finite_has_no_distances_and_spoils_no_other(rng):
    predicted, truth = rng.normal(size=(2, 3, 5, 3))
    predicted[1, 2, 0] = np.nan
    for distances in (aligned_distances(predicted, truth), rooted_distances(predicted, truth, 0)):
        assert np.isnan(distances[1]).any()
        assert np.isfinite(distances[[0, 2]]).all()


def test_shares_of_correct_parts_by_hand():
    distances = np.array([[0.0, 0.5, 150, 151], [np.nan, 75, 75, 300]])
    np.testing.assert_allclose(correct_parts(distances), [0.75, 0.5])
    np.testing.assert_allclose(correct_parts(distances, 20), [0.5, 0.0])
    # Thresholds 0, 50, 100, 150.
    np.testing.assert_allclose(
        area_under_curve(distances, steps=4), [np.mean([0.25, 0.5, 0.5, 0.75]), np.mean([0, 0, 0.5, 0.5])]
    )


@given(strategies.arrays(shape=(4, 6)))
def test_the_area_is_between_the_shares_at_its_ends(numbers):
    distances = np.abs(numbers)
    area = area_under_curve(distances)
    assert (area >= correct_parts(distances, 0) - 1e-12).all()
    assert (area <= correct_parts(distances) + 1e-12).all()
