"""The figure: posed as the rig says, with limbs of fixed length, and left on the left."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partgraph_humanpose.figure.body import load_body
from partgraph_humanpose.motion import embedded_clips
from partgraph_humanpose.motion.rig import JOINTS
from partgraph_humanpose.skeleton import FLIP, PARTS
from scipy.spatial.transform import Rotation

# Pairs of joints that one bone of the body holds apart.
RIGID = [
    ("right-hip", "right-knee"),
    ("right-knee", "right-ankle"),
    ("left-hip", "left-knee"),
    ("left-knee", "left-ankle"),
    ("right-shoulder", "right-elbow"),
    ("right-elbow", "right-wrist"),
    ("left-shoulder", "left-elbow"),
    ("left-elbow", "left-wrist"),
    ("right-hip", "left-hip"),
    ("pelvis", "left-hip"),
    ("right-shoulder", "left-shoulder"),
    ("thorax", "right-shoulder"),
    ("neck", "left-shoulder"),
    ("neck", "thorax"),
]
Y_UP_TO_Z_UP = Rotation.from_euler("x", 90, degrees=True)

seeds = st.integers(0, 2**32 - 1)


def random_shape(random):
    return random.normal(size=8) * 0.8


def random_rotations(random):
    return Rotation.random(22, random_state=random).as_rotvec()


def joints_of(posed):
    return dict(zip(PARTS, posed.joints.astype(np.float64), strict=True))


def unit(vector):
    return vector / np.linalg.norm(vector)


@pytest.fixture(scope="module")
def rest_pose(body):
    return body.pose(np.zeros(8), np.zeros((22, 3)))


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_t_pose_lands_where_it_should(seed):
    """For a body of any shape: arms along x, legs straight down, the head on top, hips beside the pelvis."""
    body = load_body()
    joint = joints_of(body.pose(random_shape(np.random.default_rng(seed)), np.zeros((22, 3))))
    for side, out in (("left", 1.0), ("right", -1.0)):
        for first, second in (("shoulder", "elbow"), ("elbow", "wrist")):
            way = joint[f"{side}-{second}"] - joint[f"{side}-{first}"]
            np.testing.assert_allclose(unit(way), [out, 0, 0], atol=1e-5)
        for first, second in (("hip", "knee"), ("knee", "ankle")):
            way = joint[f"{side}-{second}"] - joint[f"{side}-{first}"]
            np.testing.assert_allclose(unit(way), [0, 0, -1], atol=1e-5)
    for lower, upper in (("pelvis", "thorax"), ("thorax", "neck"), ("neck", "head-top")):
        assert joint[upper][2] > joint[lower][2] + 0.03
    np.testing.assert_allclose(joint["pelvis"], (joint["left-hip"] + joint["right-hip"]) / 2, atol=1e-6)
    np.testing.assert_allclose(
        joint["thorax"], (joint["left-shoulder"] + joint["right-shoulder"]) / 2, atol=1e-6
    )


def test_proportions_are_those_of_an_adult(rest_pose):
    joint = joints_of(rest_pose)
    height = np.ptp(rest_pose.vertices[:, 2])
    assert 1.5 < height < 2.0
    assert 0.35 < np.linalg.norm(joint["left-hip"] - joint["left-knee"]) < 0.55
    assert 0.2 < np.linalg.norm(joint["left-shoulder"] - joint["left-elbow"]) < 0.4
    assert joint["head-top"][2] == pytest.approx(rest_pose.vertices[:, 2].max(), abs=0.01)


def test_mesh_rests_upright_and_faces_where_the_feet_point(body, rest_pose):
    """The toes are in front of the ankles, and front is -y."""
    shoes = rest_pose.vertices[body.region == 3]
    ankle = joints_of(rest_pose)["left-ankle"]
    assert shoes[:, 1].min() < ankle[1] - 0.1
    assert shoes[:, 1].max() < ankle[1] + 0.1
    assert shoes[:, 2].max() < ankle[2] + 0.1


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_limbs_keep_their_lengths(seed):
    body, random = load_body(), np.random.default_rng(seed)
    shape = random_shape(random)
    before = joints_of(body.pose(shape, np.zeros((22, 3))))
    after = joints_of(body.pose(shape, random_rotations(random)))
    for first, second in RIGID:
        lengths = [np.linalg.norm(joint[first] - joint[second]) for joint in (before, after)]
        assert lengths[0] == pytest.approx(lengths[1], abs=2e-6), (first, second)


@settings(deadline=None, max_examples=15)
@given(seeds)
def test_the_mirrored_pose_is_the_mirror_image(seed):
    """Left is left: exchanging sides in the rig's pose exchanges them in the body's joints."""
    body, random = load_body(), np.random.default_rng(seed)
    shape, rotations = random_shape(random), random_rotations(random) * 0.4
    swap = [JOINTS.index(_other_side(name)) for name in JOINTS]
    mirrored = rotations[swap] * [1, -1, -1]  # the axis of a turn, seen in a mirror at x = 0
    one, other = body.pose(shape, rotations), body.pose(shape, mirrored)
    difference = np.abs(other.joints[list(FLIP)] * [-1, 1, 1] - one.joints)
    hard = [
        k for k, part in enumerate(PARTS) if part != "head-top"
    ]  # a vertex that is not quite in the middle
    assert difference[hard].max() < 2e-3
    assert difference.max() < 8e-3


def _other_side(name):
    return {"L": "R", "R": "L"}[name[0]] + name[1:] if name[:2] in ("L_", "R_") else name


def test_raising_the_left_arm_raises_the_left_arm(body):
    rotations = np.zeros((22, 3))
    rotations[JOINTS.index("L_Shoulder")] = [0, 0, np.pi / 2]  # about z, forward: x, left, turns to y, up
    joint = joints_of(body.pose(np.zeros(8), rotations))
    still = joints_of(body.pose(np.zeros(8), np.zeros((22, 3))))
    np.testing.assert_allclose(unit(joint["left-wrist"] - joint["left-shoulder"]), [0, 0, 1], atol=1e-5)
    np.testing.assert_array_equal(joint["right-wrist"], still["right-wrist"])


def test_bending_the_right_knee_moves_the_right_foot_backwards(body):
    rotations = np.zeros((22, 3))
    rotations[JOINTS.index("R_Knee")] = [np.pi / 2, 0, 0]
    joint = joints_of(body.pose(np.zeros(8), rotations))
    np.testing.assert_allclose(unit(joint["right-ankle"] - joint["right-knee"]), [0, 1, 0], atol=1e-5)
    np.testing.assert_allclose(unit(joint["left-ankle"] - joint["left-knee"]), [0, 0, -1], atol=1e-5)


@settings(deadline=None, max_examples=10)
@given(seeds)
def test_the_root_turns_the_whole_body(seed):
    body, random = load_body(), np.random.default_rng(seed)
    shape, rotations = random_shape(random), random_rotations(random) * 0.3
    rotations[0] = 0
    still = body.pose(shape, rotations)
    turn = Rotation.random(random_state=random)
    rotations[0] = turn.as_rotvec()
    turned = body.pose(shape, rotations)
    in_z_up = Y_UP_TO_Z_UP * turn * Y_UP_TO_Z_UP.inv()
    root = body.rest(shape)[1][body.bones.index("root")]
    for before, after in ((still.joints, turned.joints), (still.vertices, turned.vertices)):
        np.testing.assert_allclose(in_z_up.apply(before - root) + root, after, atol=2e-5)


@pytest.mark.parametrize("clip", embedded_clips(), ids=lambda clip: clip.name)
def test_limbs_point_where_the_rigs_do(body, clip):
    """The body and the rig's stick figure, two implementations, agree on every limb's direction in recorded poses."""
    _, positions = clip.joints()
    limbs = {
        ("left-shoulder", "left-elbow"): ("L_Shoulder", "L_Elbow"),
        ("left-elbow", "left-wrist"): ("L_Elbow", "L_Wrist"),
        ("right-shoulder", "right-elbow"): ("R_Shoulder", "R_Elbow"),
        ("right-elbow", "right-wrist"): ("R_Elbow", "R_Wrist"),
        ("left-hip", "left-knee"): ("L_Hip", "L_Knee"),
        ("left-knee", "left-ankle"): ("L_Knee", "L_Ankle"),
        ("right-hip", "right-knee"): ("R_Hip", "R_Knee"),
        ("right-knee", "right-ankle"): ("R_Knee", "R_Ankle"),
        ("right-hip", "left-hip"): ("R_Hip", "L_Hip"),
        ("right-shoulder", "left-shoulder"): ("R_Collar", "L_Collar"),
    }
    for frame in range(0, len(clip), max(1, len(clip) // 4)):
        joint = joints_of(body.pose(np.zeros(8), clip.rotations[frame]))
        rig = dict(zip(JOINTS, Y_UP_TO_Z_UP.apply(positions[frame]), strict=True))
        for (first, second), (from_, to) in limbs.items():
            found, wanted = unit(joint[second] - joint[first]), unit(rig[to] - rig[from_])
            assert found @ wanted > 1 - 1e-5, (clip.name, frame, first, second)


@pytest.mark.parametrize("clip", embedded_clips(), ids=lambda clip: clip.name)
def test_joints_lie_inside_the_meshs_bounding_box(body, clip):
    random = np.random.default_rng(0)
    for frame in random.integers(0, len(clip), 2):
        posed = body.pose(random_shape(random), clip.rotations[frame])
        low, high = posed.vertices.min(0), posed.vertices.max(0)
        assert (posed.joints >= low).all()
        assert (posed.joints <= high).all()


def test_joints_lie_inside_the_flesh(body, rest_pose):
    """In the T-pose, mesh is found on both sides of every joint but the head's top, along all three axes."""
    for part, joint in joints_of(rest_pose).items():
        if part == "head-top":
            continue
        near = rest_pose.vertices[np.linalg.norm(rest_pose.vertices - joint, axis=1) < 0.2]
        assert (near.min(0) < joint).all(), part
        assert (near.max(0) > joint).all(), part


def test_skin_moves_with_its_bone(body):
    """Vertices of one bone alone keep their distances to its joint."""
    random = np.random.default_rng(0)
    rotations = random_rotations(random)
    still = body.pose(np.zeros(8), np.zeros((22, 3)))
    moved = body.pose(np.zeros(8), rotations)
    for bone, part in (
        ("lowerleg01.L", "left-knee"),
        ("lowerarm01.R", "right-elbow"),
        ("upperleg01.R", "right-hip"),
    ):
        own = body.skin[:, body.bones.index(bone)] > 0.999
        assert own.sum() > 20
        joint = PARTS.index(part)
        before = np.linalg.norm(still.vertices[own] - still.joints[joint], axis=1)
        after = np.linalg.norm(moved.vertices[own] - moved.joints[joint], axis=1)
        np.testing.assert_allclose(after, before, atol=2e-3)


def test_the_arrays_fit_together(body):
    vertices, bones = body.skin.shape
    assert body.mean.shape == (3 * (vertices + bones),)
    assert body.components.shape == (8, 3 * (vertices + bones))
    assert body.faces.min() >= 0
    assert body.faces.max() < vertices
    np.testing.assert_allclose(body.skin.sum(1), 1, rtol=1e-5)
    assert (body.skin >= 0).all()
    assert body.parents[0] == -1
    assert all(0 <= parent < bone for bone, parent in enumerate(body.parents) if bone)
    assert set(np.unique(body.region)) == {0, 1, 2, 3}


def test_shapes_differ(body):
    heights = [
        np.ptp(body.pose(np.eye(8)[0] * amount, np.zeros((22, 3))).vertices[:, 2]) for amount in (-2, 0, 2)
    ]
    assert np.ptp(heights) > 0.05


def test_the_mesh_is_closed_and_wound_outwards(body, rest_pose):
    """Its signed volume is that of an adult; were it wound inwards, or open, it would not be."""
    corner = rest_pose.vertices[body.faces].astype(np.float64)
    volume = np.einsum("fi,fi->f", corner[:, 0], np.cross(corner[:, 1], corner[:, 2])).sum() / 6
    assert 0.04 < volume < 0.15
