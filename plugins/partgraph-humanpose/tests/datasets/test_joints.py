"""From 32 recorded joints to MPII's 16, by name."""

import numpy as np
from partgraph_humanpose.datasets.human36m.joints import NAMES_17, OF_32, mpii_joints, select_17
from partgraph_humanpose.skeleton import PARTS

# The names of the 32 joints in the release's skeleton, as published with its baselines; empty for repetitions.
NAMES_32 = (
    "Hip",
    "RHip",
    "RKnee",
    "RFoot",
    "",
    "",
    "LHip",
    "LKnee",
    "LFoot",
    "",
    "",
    "",
    "Spine",
    "Thorax",
    "Neck/Nose",
)
NAMES_32 += ("Head", "", "LShoulder", "LElbow", "LWrist", "", "", "", "", "", "RShoulder", "RElbow", "RWrist")
NAMES_32 += ("", "", "", "")


def test_the_named_ones_are_kept():
    assert tuple(k for k, name in enumerate(NAMES_32) if name) == OF_32
    short = {"Hip": "pelvis", "Spine": "abdomen", "Thorax": "neck", "Neck/Nose": "chin", "Head": "head-top"}
    for index, name in zip(OF_32, NAMES_17, strict=True):
        known = NAMES_32[index]
        side = {"L": "left-", "R": "right-"}.get(known[0], "")
        assert name == short.get(known, side + known[1:].lower().replace("foot", "ankle"))


def test_joints_keep_their_names_and_a_thorax_comes_between_the_shoulders():
    joints = np.random.default_rng(0).normal(size=(4, 17, 3))
    found = mpii_joints(joints)
    assert found.shape == (4, 16, 3)
    for k, name in enumerate(PARTS):
        if name == "thorax":
            left, right = (joints[:, NAMES_17.index(f"{side}-shoulder")] for side in ("left", "right"))
            np.testing.assert_allclose(found[:, k], (left + right) / 2)
        else:
            np.testing.assert_array_equal(found[:, k], joints[:, NAMES_17.index(name)])


def test_chin_and_abdomen_are_left_out():
    joints = np.zeros((17, 2))
    joints[[NAMES_17.index("chin"), NAMES_17.index("abdomen")]] = 1
    assert not mpii_joints(joints).any()


def test_selection_works_in_any_dimension():
    joints = np.arange(2 * 32 * 2).reshape(2, 32, 2)
    np.testing.assert_array_equal(select_17(joints)[1, 16], joints[1, 27])
