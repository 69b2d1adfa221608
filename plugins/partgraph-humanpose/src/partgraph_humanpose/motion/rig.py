"""The rig that every motion clip drives: 22 joints in a T-pose, x to the left, y up, z forward.

A pose turns joint j by R_j relative to its parent, so that its global turn is G_j = G_parent(j) R_j; with every
R_j = 1 the arms point along +-x, the legs down and the spine up.
"""

from typing import Final

import numpy as np

# The order of the rotations in a clip; joint 0 is the root, turned relative to the world.
JOINTS: Final = (
    "Root", "L_Hip", "R_Hip", "Spine1", "L_Knee", "R_Knee", "Spine2", "L_Ankle", "R_Ankle", "Spine3", "L_Foot",
    "R_Foot", "Neck", "L_Collar", "R_Collar", "Head", "L_Shoulder", "R_Shoulder", "L_Elbow", "R_Elbow", "L_Wrist",
    "R_Wrist",
)  # fmt: skip

_PARENT_NAMES: Final = {
    "L_Hip": "Root", "L_Knee": "L_Hip", "L_Ankle": "L_Knee", "L_Foot": "L_Ankle",
    "R_Hip": "Root", "R_Knee": "R_Hip", "R_Ankle": "R_Knee", "R_Foot": "R_Ankle",
    "Spine1": "Root", "Spine2": "Spine1", "Spine3": "Spine2", "Neck": "Spine3", "Head": "Neck",
    "L_Collar": "Spine3", "L_Shoulder": "L_Collar", "L_Elbow": "L_Shoulder", "L_Wrist": "L_Elbow",
    "R_Collar": "Spine3", "R_Shoulder": "R_Collar", "R_Elbow": "R_Shoulder", "R_Wrist": "R_Elbow",
}  # fmt: skip

# The parent of each joint comes before it; -1 for the root.
PARENTS: Final = tuple(JOINTS.index(_PARENT_NAMES[name]) if name in _PARENT_NAMES else -1 for name in JOINTS)

# From each joint's parent to the joint in the T-pose, metres: a stick figure of 1.7 m to look at and to test with.
_OFFSETS: Final = {
    "Root": (0, 0, 0),
    "L_Hip": (0.09, -0.08, 0), "L_Knee": (0, -0.41, 0), "L_Ankle": (0, -0.41, 0), "L_Foot": (0, -0.04, 0.14),
    "R_Hip": (-0.09, -0.08, 0), "R_Knee": (0, -0.41, 0), "R_Ankle": (0, -0.41, 0), "R_Foot": (0, -0.04, 0.14),
    "Spine1": (0, 0.1, 0), "Spine2": (0, 0.13, 0), "Spine3": (0, 0.13, 0), "Neck": (0, 0.17, 0), "Head": (0, 0.1, 0),
    "L_Collar": (0.07, 0.1, 0), "L_Shoulder": (0.11, 0, 0), "L_Elbow": (0.27, 0, 0), "L_Wrist": (0.26, 0, 0),
    "R_Collar": (-0.07, 0.1, 0), "R_Shoulder": (-0.11, 0, 0), "R_Elbow": (-0.27, 0, 0), "R_Wrist": (-0.26, 0, 0),
}  # fmt: skip
OFFSETS: Final = np.array([_OFFSETS[name] for name in JOINTS], dtype=np.float64)
OFFSETS.flags.writeable = False
