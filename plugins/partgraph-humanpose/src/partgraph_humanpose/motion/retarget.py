"""Carries a recording over to the rig, so that the limbs of both point the same way.

Let the actor's joint b have turned by D_b in the world since a rest pose in which the person stands upright.
For the joint j of the rig that b drives,

    G_j = W D_b A_j,

where A_j lays the rig's T-pose over the actor's rest pose and W brings the actor's world to the rig's. The
trunk, the head and the feet take A_j = A_root: upright is upright and a flat sole is flat, whatever the two
are built like. A limb takes the smallest turn that brings the rig's bone, along e_j, to the actor's, along
d_b,

    A_j = turn(A_parent e_j -> d_b) A_parent,

so that T-poses, A-poses and hanging arms will all do as a rest pose.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from partgraph_humanpose.motion.clip import MotionClip
from partgraph_humanpose.motion.rig import JOINTS, OFFSETS, PARENTS
from partgraph_humanpose.motion.skeleton import Skeleton, Take
from partgraph_humanpose.motion.text import MotionError

# What joints are called in the files of many programs, in small letters and digits. The first that a skeleton
# has is taken, and so the order matters: a "shoulder" is a collar bone where there is an "arm", and a "foot"
# the toes where there is an "ankle".
_WORDS: Final = {
    "Hip": ("upleg", "upperleg", "thigh", "femur", "hip"),
    "Knee": ("leg", "lowerleg", "lowleg", "shin", "calf", "tibia", "knee"),
    "Ankle": ("ankle", "foot"),
    "Shoulder": ("arm", "upperarm", "uparm", "humerus", "shldr", "shoulder"),
    "Elbow": ("forearm", "lowerarm", "lowarm", "radius", "elbow"),
    "Wrist": ("hand", "wrist"),
}
_SIDES: Final = {"L": ("left", "l"), "R": ("right", "r")}

# The bones of the limbs: the joint at their near end, and the one at their far end.
_BONES: Final = {
    f"{side}_{near}": f"{side}_{far}"
    for side in "LR"
    for near, far in (("Hip", "Knee"), ("Knee", "Ankle"), ("Shoulder", "Elbow"), ("Elbow", "Wrist"))
}
_LEG: Final = ("L_Hip", "L_Knee")
# What must be found by name; root, spine and neck follow from how these hang together.
_NAMED: Final = ("Head", *_BONES, "L_Ankle", "R_Ankle", "L_Wrist", "R_Wrist")
# Joints that nothing drives take an equal share of the turn of the driven joint above them, as vertebrae do.
_SHARING: Final = {"Spine2": ("Spine1",), "Spine3": ("Spine1", "Spine2"), "Head": ("Neck",)}

_AXES: Final = {
    "x": np.array([1.0, 0.0, 0.0]),
    "y": np.array([0.0, 1.0, 0.0]),
    "z": np.array([0.0, 0.0, 1.0]),
    "-x": np.array([-1.0, 0.0, 0.0]),
    "-y": np.array([0.0, -1.0, 0.0]),
    "-z": np.array([0.0, 0.0, -1.0]),
}


def retarget(
    take: Take,
    *,
    names: Mapping[str, str] | None = None,
    rest: int | None = None,
    up: str | None = None,
    scale: float | None = None,
) -> MotionClip:
    """Carry a recording over to the rig.

    Parameters
    ----------
    take
        The recording.
    names
        {joint of the rig: joint of the actor}, such as {"L_Hip": "femur_l"}, where the usual names do not say
        which drives which, or say wrong. The collars stay at rest unless named here: the shoulders have their
        share.
    rest
        A frame in which the person stands upright with straight legs. None: the pose in which nothing is
        turned.
    up
        The axis of the recording's world that points up, "x" to "z" or "-x" to "-z". None: the one that is up
        in the rest pose.
    scale
        Metres per unit of length of the recording. None: what makes the legs as long as the rig's.

    Returns
    -------
    MotionClip
        Named as the file, with the recording's rate and frames.
    """
    if up is not None and up not in _AXES:
        raise MotionError(take.path, f"up must be one of {', '.join(_AXES)}", repr(up), "choose one of these")
    drivers = driving_joints(take, names)
    rest_turns, rest_positions = _rest_pose(take, rest)
    points = {joint: rest_positions[driver[0]] for joint, driver in drivers.items()}
    root = _root_alignment(points)
    alignments = _limb_alignments(take.path, points, root)
    world = root.T if up is None else root.T @ _smallest_turn(_AXES[up], root[:, 1])

    turns, _ = take.skeleton.forward(take.rotations, take.position)
    since_rest = turns @ rest_turns.transpose(0, 2, 1)  # (F, B, 3, 3)
    driven = {
        joint: world @ _mean(since_rest[:, driver]) @ alignments.get(joint, root)
        for joint, driver in drivers.items()
    }
    if scale is None:
        rig = dict(zip(JOINTS, Skeleton.of_rig().rest(), strict=True))
        scale = _leg(rig) / _leg(points)
    return MotionClip(take.path.stem, take.rate, _relative(driven), scale * take.position @ world.T)


def driving_joints(take: Take, names: Mapping[str, str] | None = None) -> dict[str, tuple[int, ...]]:
    """Find which joints of the actor drive each joint of the rig, by the mean of their turns.

    Parameters
    ----------
    take
        The recording.
    names
        As in `retarget`.

    Returns
    -------
    dict
        {joint of the rig: indices of joints of the actor}, without the joints of the rig that nothing drives.
    """
    actors = take.skeleton.names
    named = {}
    for joint, name in (names or {}).items():
        if joint not in JOINTS or name not in actors:
            asked = f"names must be of {', '.join(JOINTS)}, each with one of {', '.join(actors)}"
            raise MotionError(take.path, asked, f"{joint!r} with {name!r}", "repair the names")
        named[joint] = actors.index(name)
    plain = {_plain(name): index for index, name in reversed(list(enumerate(actors)))}
    for joint in _NAMED:
        known = [plain[name] for name in _spellings(joint) if name in plain]
        if joint not in named and not known:
            found = f"{', '.join(actors)}, none known to do so"
            raise MotionError(
                take.path, f"a joint must drive {joint}", found, f"pass names={{{joint!r}: ...}}"
            )
        named.setdefault(joint, *known[:1])
    for near, far in _BONES.items():
        if named[near] not in take.skeleton.path(named[far])[:-1]:
            found = f"{actors[named[far]]!r} elsewhere than below {actors[named[near]]!r}"
            raise MotionError(
                take.path, f"{far} must hang on {near}", found, "say which they are with names="
            )
    return _trunk(take.skeleton, named) | {joint: (index,) for joint, index in named.items()}


def _plain(name: str) -> str:
    """Strip a joint's name: "mixamorig:LeftArm" -> "leftarm", "Bip01 L Thigh" -> "lthigh"."""
    return re.sub(r"^bip\d*|[^a-z0-9]", "", name.lower().rpartition(":")[2])


def _spellings(joint: str) -> list[str]:
    """Return the plain names that a joint of the rig goes by, the best first."""
    side, _, word = joint.rpartition("_")
    if not side:
        return [joint.lower()]
    return [name for word in _WORDS[word] for mark in _SIDES[side] for name in (mark + word, word + mark)]


def _trunk(skeleton: Skeleton, named: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Find root, spine and neck between the legs, the arms and the head."""
    head, arm, leg = (skeleton.path(named[joint]) for joint in ("Head", "L_Shoulder", "L_Hip"))
    chest = [joint for joint in head if joint in arm]  # from the root to where neck and arms part
    spine = [joint for joint in chest if joint not in leg]
    trunk = {
        "Root": [joint for joint in chest if joint in leg][-1:],
        "Spine1": spine[:-1][:1],
        "Spine2": spine[1:-1],
        "Spine3": spine[-1:],
        # The two joints of CMU's neck bend against each other; their mean points from the chest to the head.
        "Neck": head[len(chest) : -1],
    }
    return {joint: tuple(drivers) for joint, drivers in trunk.items() if drivers}


def _rest_pose(take: Take, rest: int | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return turns (B, 3, 3) and positions (B, 3) of the actor's joints at rest."""
    if rest is None:
        return np.tile(np.eye(3), (len(take.skeleton.names), 1, 1)), take.skeleton.rest()
    frames = len(take.position)
    if not 0 <= rest < frames:
        asked = f"rest must be a frame from 0 to {frames - 1}"
        raise MotionError(take.path, asked, str(rest), "choose one of these")
    turns, positions = take.skeleton.forward(take.rotations[[rest]], take.position[[rest]])
    return turns[0], positions[0]


def _root_alignment(points: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the turn (3, 3) from the rig's left, up and forward to those of the actor at rest.

    Up is the axis nearest to the way from the hips to the head: the back is not straight, but the floor is.
    """
    rise = points["Head"] - (points["L_Hip"] + points["R_Hip"]) / 2
    axis = np.argmax(np.abs(rise))
    up = np.sign(rise[axis]) * np.eye(3)[axis]
    left = points["L_Hip"] - points["R_Hip"]
    left = left - (left @ up) * up
    left = left / np.linalg.norm(left)
    return np.stack([left, up, np.cross(left, up)], axis=1)


def _limb_alignments(
    path: Path, points: Mapping[str, NDArray[np.float64]], root: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return the turns (3, 3) that lay the rig's limbs over the actor's at rest."""
    alignments: dict[str, NDArray[np.float64]] = {}
    for near, far in _BONES.items():
        bone = points[far] - points[near]
        length = np.linalg.norm(bone)
        if not length:
            asked, found = "the bones of the limbs must have a length", f"none from {near} to {far}"
            raise MotionError(path, asked, found, "say which joints they are with names=")
        descent = -(bone / length) @ root[:, 1]
        if near.endswith(("Hip", "Knee")) and descent < 0.5:
            angle = np.degrees(np.arccos(descent))
            found = f"{near} to {far} {angle:.0f} degrees away from down"
            do = "give a frame in which the person stands upright as rest="
            raise MotionError(path, "the legs must be straight in the rest pose", found, do)
        parent = alignments.get(JOINTS[PARENTS[JOINTS.index(near)]], root)
        rig_bone = parent @ OFFSETS[JOINTS.index(far)]
        alignments[near] = _smallest_turn(rig_bone / np.linalg.norm(rig_bone), bone / length) @ parent
    for side in "LR":  # hands go on in the line of the forearm
        alignments[f"{side}_Wrist"] = alignments[f"{side}_Elbow"]
    return alignments


def _smallest_turn(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the turn (3, 3) by the smallest angle that brings one unit vector (3,) to another."""
    axis = np.cross(start, end)
    angle = np.arctan2(np.linalg.norm(axis), start @ end)
    if np.linalg.norm(axis) < 1e-12:  # no turn, or half a turn about any axis across
        axis = np.cross(start, np.eye(3)[np.argmin(np.abs(start))])
    return Rotation.from_rotvec(axis / np.linalg.norm(axis) * angle).as_matrix()


def _leg(points: Mapping[str, NDArray[np.float64]]) -> float:
    """Return the length of the left leg."""
    return sum(float(np.linalg.norm(points[_BONES[bone]] - points[bone])) for bone in _LEG)


def _mean(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the turns (F, 3, 3) that are nearest to all of (F, S, 3, 3)."""
    if turns.shape[1] == 1:
        return turns[:, 0]
    left, _, right = np.linalg.svd(turns.mean(axis=1))
    return left @ right


def _relative(driven: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float32]:
    """Return the axis-angles (F, 22, 3) of all joints from the global turns (F, 3, 3) of the driven ones."""
    rotations = np.zeros((len(driven["Root"]), len(JOINTS), 3), dtype=np.float32)
    for joint, turn in driven.items():
        index = JOINTS.index(joint)
        parent = PARENTS[index]
        while parent >= 0 and JOINTS[parent] not in driven:
            parent = PARENTS[parent]
        base = driven[JOINTS[parent]].transpose(0, 2, 1) if parent >= 0 else np.eye(3)
        sharing = [index, *(JOINTS.index(idle) for idle in _SHARING.get(joint, ()) if idle not in driven)]
        rotations[:, sharing] = Rotation.from_matrix(base @ turn).as_rotvec()[:, None] / len(sharing)
    return rotations
