"""The dog's body: turned about its joints, within their limits, and left on the left."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partgraph_dogpose.figure.body import Breed, JointLimitError, load_dog, rotations
from partgraph_dogpose.skeleton import FLIP, LIMBS, PARTS
from scipy.spatial.transform import Rotation

EYE = np.eye(3)
# Bones of one piece: what no hinge between the two parts can change.
RIGID = [
    (f"{side}-{first}", f"{side}-{second}")
    for side in ("left", "right")
    for first, second in [
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
        ("wrist", "fore-paw"),
        ("hip", "knee"),
        ("knee", "hock"),
        ("hock", "hind-paw"),
    ]
] + [("skull", "nose"), ("pelvis", "left-hip"), ("left-hip", "right-hip")]
seeds = st.integers(0, 2**32 - 1)


def any_angles(dog, random):
    return random.uniform(*dog.limits.T)


def distance(joints, first, second):
    return float(np.linalg.norm(joints[PARTS.index(first)] - joints[PARTS.index(second)]))


def by_composition(dog, angles, root):
    """Joints by 4 x 4 matrices, each hinge a turn about its axis through its anchor, from the root outwards."""
    motion = []
    for bone, parent in enumerate(dog.parents):
        matrix = (
            motion[parent].copy() if parent >= 0 else np.block([[root, np.zeros((3, 1))], [np.zeros(3), 1]])
        )
        for hinge in np.flatnonzero(dog.hinge_bone == bone):
            turn = Rotation.from_rotvec(dog.axis[hinge] * angles[hinge]).as_matrix()
            move = np.eye(4)
            move[:3, :3], move[:3, 3] = turn, dog.anchor[hinge] - turn @ dog.anchor[hinge]
            matrix = matrix @ move
        motion.append(matrix)
    return np.stack(
        [
            (motion[bone] @ [*point, 1])[:3]
            for bone, point in zip(dog.point_bone, dog.points.astype(float), strict=True)
        ]
    )


@settings(max_examples=15)
@given(seeds)
def test_joints_are_turned_about_their_hinges(seed):
    dog, random = load_dog(), np.random.default_rng(seed)
    angles, root = any_angles(dog, random), Rotation.random(random_state=seed).as_matrix()
    np.testing.assert_allclose(dog.pose(angles, root).joints, by_composition(dog, angles, root), atol=2e-5)


@settings(max_examples=15)
@given(seeds)
def test_bones_keep_their_lengths(seed):
    dog, random = load_dog(), np.random.default_rng(seed)
    breed = Breed.draw(random)
    rest = dog.pose(np.zeros(len(dog.hinges)), EYE, breed).joints
    joints = dog.pose(any_angles(dog, random), EYE, breed).joints
    for first, second in RIGID:
        assert distance(joints, first, second) == pytest.approx(distance(rest, first, second), abs=1e-5)


def test_at_rest_it_stands_as_it_was_made(dog):
    posed = dog.pose(np.zeros(len(dog.hinges)), EYE)
    np.testing.assert_allclose(posed.vertices, dog.vertices, atol=1e-5)
    np.testing.assert_allclose(posed.joints, dog.points, atol=1e-6)
    x, y, z = (dict(zip(PARTS, axis, strict=True)) for axis in posed.joints.T)
    assert (
        x["nose"] > x["skull"] > x["neck-base"] > x["loin"] > x["pelvis"] > x["tail-middle"] > x["tail-tip"]
    )
    for joint in ("shoulder", "elbow", "wrist", "fore-paw", "hip", "knee", "hock", "hind-paw"):
        assert y[f"left-{joint}"] > 0 > y[f"right-{joint}"]
    assert z["left-hip"] > z["left-knee"] > z["left-hock"] > z["left-hind-paw"] > 0


def test_joints_lie_in_the_mesh(dog):
    """Every part is within 8 cm of the surface, and inside the box of what moves with it."""
    posed = dog.pose(np.zeros(len(dog.hinges)), EYE)
    for joint in posed.joints:
        assert np.linalg.norm(posed.vertices - joint, axis=1).min() < 0.08
    assert (posed.joints >= posed.vertices.min(0) - 1e-6).all()
    assert (posed.joints <= posed.vertices.max(0) + 1e-6).all()


@pytest.mark.parametrize("beyond", [-0.01, 0.01, np.nan, np.inf])
def test_beyond_its_limits_no_joint_turns(dog, beyond):
    """A hundredth of a radian further than the limit on either side."""
    for hinge in (0, 14, len(dog.hinges) - 1):
        angles = np.zeros(len(dog.hinges))
        angles[hinge] = dog.limits[hinge, 0 if beyond < 0 else 1] + beyond
        with pytest.raises(JointLimitError, match=rf"hinge {dog.hinges[hinge]} turns from .* within_limits"):
            dog.pose(angles, EYE)


def test_limits_are_anatomical(dog):
    """A knee bends one way, a wrist too; what rests at zero is allowed."""
    limit = dict(zip(dog.hinges, np.degrees(dog.limits), strict=True))
    assert (dog.limits[:, 0] < 0).all()
    assert (dog.limits[:, 1] > 0).all()
    np.testing.assert_allclose(limit["lower_leg_L.0"], [-120, 10], atol=1e-3)
    np.testing.assert_allclose(limit["hand_R.0"], [-110, 10], atol=1e-3)
    for hinge, both in limit.items():
        if "_L." in hinge:
            np.testing.assert_array_equal(both, limit[hinge.replace("_L.", "_R.")])


def test_the_nearest_angles_within_limits(dog):
    wild = np.random.default_rng(0).normal(0, 3, len(dog.hinges))
    tame = dog.within_limits(wild)
    assert ((tame >= dog.limits[:, 0]) & (tame <= dog.limits[:, 1])).all()
    inside = (wild > dog.limits[:, 0]) & (wild < dog.limits[:, 1])
    np.testing.assert_array_equal(tame[inside], wild[inside])
    dog.pose(tame, EYE)


def test_a_hinge_has_to_exist(dog):
    with pytest.raises(KeyError, match=r"no hinge wing_L\.0"):
        dog.angles({"wing_L.0": 10})


@settings(max_examples=15)
@given(seeds)
def test_a_mirrored_pose_has_mirrored_joints(seed):
    """Left and right angles exchanged, and turns to the left made turns to the right."""
    dog, random = load_dog(), np.random.default_rng(seed)
    index = {hinge: k for k, hinge in enumerate(dog.hinges)}
    other = {"_L.": "_R.", "_R.": "_L."}
    angles, mirror = any_angles(dog, random), np.empty(len(dog.hinges))
    for hinge, k in index.items():
        side = next((mark for mark in other if mark in hinge), None)
        if side:
            mirror[k] = angles[index[hinge.replace(side, other[side])]]
        else:  # an axis along y is the same in the mirror; others turn the other way
            mirror[k] = angles[k] if abs(dog.axis[k, 1]) > 0.5 else -angles[k]
    seen, reflected = (
        dog.pose(dog.within_limits(mirror), EYE).joints,
        dog.pose(angles, EYE).joints * [1, -1, 1],
    )
    np.testing.assert_allclose(seen, reflected[list(FLIP)], atol=2e-3)


@settings(max_examples=15)
@given(seeds)
def test_breeds_change_lengths_and_nothing_else(seed):
    dog, random = load_dog(), np.random.default_rng(seed)
    breed = Breed.draw(random)
    plain, bred = (dog.pose(np.zeros(len(dog.hinges)), EYE, one) for one in (Breed(), breed))
    upper = ("left-knee", "left-hock", "left-hind-paw")
    for first, second in itertools.pairwise(upper):
        drop = [p.joints[PARTS.index(first), 2] - p.joints[PARTS.index(second), 2] for p in (plain, bred)]
        assert drop[1] == pytest.approx(drop[0] * breed.legs * breed.size, rel=1e-4)
    assert np.ptp(bred.vertices[:, 1]) == pytest.approx(
        np.ptp(plain.vertices[:, 1]) * breed.girth * breed.size, rel=1e-4
    )
    assert bred.depth_inside == pytest.approx(plain.depth_inside * breed.size)


def test_skin_moves_with_its_bones(dog):
    np.testing.assert_allclose(dog.skin.sum(1), 1, atol=1e-5)
    head = dog.skin[:, dog.bones.index("skull")] > 0.999
    assert head.sum() > 100
    angles = dog.angles({"C_7.0": 40, "skull.0": -10})
    posed = dog.pose(angles, EYE)
    before, after = dog.vertices[head].astype(float), posed.vertices[head].astype(float)
    turn, _ = Rotation.align_vectors(after - after.mean(0), before - before.mean(0))
    np.testing.assert_allclose(turn.apply(before - before.mean(0)), after - after.mean(0), atol=1e-3)


def test_rotations_are_scipys():
    axes = np.random.default_rng(1).normal(size=(7, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angles = np.linspace(-4, 4, 7)
    expected = Rotation.from_rotvec(axes * angles[:, None]).as_matrix()
    np.testing.assert_allclose(rotations(axes, angles), expected, atol=1e-12)


def test_bones_come_after_their_parents(dog):
    assert (dog.parents < np.arange(len(dog.bones))).all()
    assert all(first in PARTS and second in PARTS for first, second in LIMBS)
