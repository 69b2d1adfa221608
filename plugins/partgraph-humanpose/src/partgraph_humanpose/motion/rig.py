"""The rig that every motion clip drives: 22 joints in a T-pose, x to the left, y up, z forward.

A pose turns joint j by R_j relative to its parent, so that its turn in the world is G_j = G_parent(j) R_j.
With every R_j = 1 the arms point along +-x, the legs down and the spine up.
"""

from typing import Final

import numpy as np

# Joint: its parent, and the way from there in the T-pose in metres, as in a stick figure of 1.7 m. The order
# is that of the rotations in a clip; parents come first, and joint 0, the root, is turned relative to the
# world.
_RIG: Final = {
    "Root": ("", (0, 0, 0)),
    "L_Hip": ("Root", (0.09, -0.08, 0)),
    "R_Hip": ("Root", (-0.09, -0.08, 0)),
    "Spine1": ("Root", (0, 0.10, 0)),
    "L_Knee": ("L_Hip", (0, -0.41, 0)),
    "R_Knee": ("R_Hip", (0, -0.41, 0)),
    "Spine2": ("Spine1", (0, 0.13, 0)),
    "L_Ankle": ("L_Knee", (0, -0.41, 0)),
    "R_Ankle": ("R_Knee", (0, -0.41, 0)),
    "Spine3": ("Spine2", (0, 0.13, 0)),
    "L_Foot": ("L_Ankle", (0, -0.04, 0.14)),
    "R_Foot": ("R_Ankle", (0, -0.04, 0.14)),
    "Neck": ("Spine3", (0, 0.17, 0)),
    "L_Collar": ("Spine3", (0.07, 0.10, 0)),
    "R_Collar": ("Spine3", (-0.07, 0.10, 0)),
    "Head": ("Neck", (0, 0.10, 0)),
    "L_Shoulder": ("L_Collar", (0.11, 0, 0)),
    "R_Shoulder": ("R_Collar", (-0.11, 0, 0)),
    "L_Elbow": ("L_Shoulder", (0.27, 0, 0)),
    "R_Elbow": ("R_Shoulder", (-0.27, 0, 0)),
    "L_Wrist": ("L_Elbow", (0.26, 0, 0)),
    "R_Wrist": ("R_Elbow", (-0.26, 0, 0)),
}

JOINTS: Final[tuple[str, ...]] = tuple(_RIG)
PARENTS: Final[tuple[int, ...]] = tuple(JOINTS.index(parent) if parent else -1 for parent, _ in _RIG.values())
OFFSETS: Final = np.array([offset for _, offset in _RIG.values()], dtype=np.float64)  # (22, 3) metres
OFFSETS.flags.writeable = False
