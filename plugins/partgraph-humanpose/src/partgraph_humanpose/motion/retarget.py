"""Carries a recording over to the rig, so that the limbs of both point the same way.

Let the actor's joint b be turned by D_b in the world since a rest pose, in which the person stands upright. For the
joint j of the rig that b drives,

    G_j = W D_b A_j,

where A_j lays the rig's T-pose over the actor's rest pose and W brings the actor's world to the rig's. The trunk, the
head and the feet take A_j = A_root: upright means upright and a flat sole is flat, whatever the build of the two. A limb
takes the smallest turn that brings the direction of the rig's limb to that of the actor's: A_j = turn(A_parent e_j ->
d_b) A_parent, so that T-poses, A-poses and hanging arms will all do as a rest pose.
"""

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from partgraph_humanpose.motion.clip import MotionClip
from partgraph_humanpose.motion.text import MotionError
from partgraph_humanpose.motion.rig import JOINTS, OFFSETS, PARENTS
from partgraph_humanpose.motion.skeleton import Skeleton, Take

# What the joints are called in the files of many programs, in lower case, letters and digits only; the first that a
# skeleton has is taken. Order matters: a "shoulder" is a collar bone where there is an "arm" too.
_WORDS: Final = {
    "Hip": ("upleg", "upperleg", "thigh", "femur", "hip"),
    "Knee": ("leg", "lowerleg", "lowleg", "shin", "calf", "tibia", "knee"),
    "Ankle": ("ankle", "foot"),
    "Shoulder": ("arm", "upperarm", "uparm", "humerus", "shldr", "shoulder"),
    "Elbow": ("forearm", "lowerarm", "lowarm", "radius", "elbow"),
    "Wrist": ("hand", "wrist"),
}
_SIDES: Final = {"L": ("left", "l"), "R": ("right", "r")}

# The limbs: each joint that is aligned by direction, and the joint at the other end of its bone.
_BONES: Final = {
    f"{side}_{a}": f"{side}_{b}"
    for side in "LR"
    for a, b in (("Hip", "Knee"), ("Knee", "Ankle"), ("Shoulder", "Elbow"), ("Elbow", "Wrist"))
}
_RIG_LEG: Final = sum(float(np.linalg.norm(OFFSETS[JOINTS.index(_BONES[bone])])) for bone in ("L_Hip", "L_Knee"))  # m

# Joints of the trunk that nothing drives share the turn of the first driven joint above them, as vertebrae do.
_SHARING: Final = {"Spine2": ("Spine1",), "Spine3": ("Spine1", "Spine2"), "Head": ("Neck",)}

# Joints that a recording must have. Spine, neck and root follow from how these hang together.
_NEEDED: Final = ("Head", *_BONES, "L_Ankle", "R_Ankle", "L_Wrist", "R_Wrist")


def retarget(
    take: Take,
    *,
    names: Mapping[str, str] | None = None,
    rest: int | None = None,
    scale: float | None = None,
) -> MotionClip:
    """Carry a recording over to the rig.

    Parameters
    ----------
    take
        The recording.
    names
        Which of the actor's joints drives a joint of the rig, {"L_Hip": "lfemur"}, wherever the usual names do not
        say or say wrong. The collars stay at rest: their share is in the shoulders, which keeps the arms' directions.
    rest
        The frame in which the person stands upright with straight legs. None: the skeleton's own rest pose.
    scale
        Metres per unit of length of the recording. None: the unit that makes the legs as long as the rig's.

    Returns
    -------
    MotionClip
        As many frames as the recording has.
    """
    sources = driving_joints(take.skeleton, names)
    turns, _ = take.skeleton.forward(take.rotations, take.position)
    rest_turns, rest_positions = _rest(take, rest)
    points = {joint: rest_positions[source[0]] for joint, source in sources.items()}
    root = _root_alignment(points)
    alignments = _alignments(points, root, take.name)

    world = root.T
    since_rest = turns @ rest_turns.transpose(0, 2, 1)  # (F, B, 3, 3)
    driven = {  # (F, 3, 3) global turns of the rig's joints
        joint: world @ _mean(since_rest[:, source]) @ alignments.get(joint, root) for joint, source in sources.items()
    }
    rotations = _local(driven)
    if scale is None:
        scale = _RIG_LEG / sum(np.linalg.norm(points[_BONES[bone]] - points[bone]) for bone in ("L_Hip", "L_Knee"))
    return MotionClip(take.name, take.rate, rotations, scale * take.position @ world.T)


def driving_joints(skeleton: Skeleton, names: Mapping[str, str] | None = None) -> dict[str, tuple[int, ...]]:
    """Which joints of a skeleton drive each joint of the rig, by the mean of their turns.

    Parameters
    ----------
    skeleton
        The actor's.
    names
        {joint of the rig: joint of the skeleton}; goes before the usual names.

    Returns
    -------
    dict
        {joint of the rig: indices of joints of the skeleton}, of those joints of the rig that are driven.
    """
    names = {} if names is None else names
    unknown = sorted(set(names) - set(JOINTS))
    if unknown:
        raise MotionError(f"names asks for {', '.join(unknown)}, which the rig does not have; it has {', '.join(JOINTS)}")
    plain = {}
    for index, name in enumerate(skeleton.names):
        plain.setdefault(_plain(name), index)
    sources = {joint: skeleton.index(name) for joint, name in names.items()}
    for joint in _NEEDED:
        found = [plain[spelling] for spelling in _spellings(joint) if spelling in plain]
        if joint not in sources and not found:
            raise MotionError(
                f"no joint of the skeleton is known to be {joint}; it has {', '.join(skeleton.names)}; say which with "
                f"names={{{joint!r}: ...}}"
            )
        sources.setdefault(joint, found[0] if found else -1)
    for upper, lower in _BONES.items():
        if sources[upper] not in skeleton.path(sources[lower])[:-1]:
            raise MotionError(
                f"{skeleton.names[sources[lower]]!r} as {lower} does not hang on {skeleton.names[sources[upper]]!r} as "
                f"{upper}; say which joints they are with names="
            )
    return _trunk(skeleton, sources) | {joint: (source,) for joint, source in sources.items()}


def _trunk(skeleton: Skeleton, sources: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Root, spine and neck: what lies between the legs, the arms and the head."""
    head, arm, leg = (skeleton.path(sources[joint]) for joint in ("Head", "L_Shoulder", "L_Hip"))
    shared = [joint for joint in head if joint in arm]
    spine = [joint for joint in shared if joint not in leg]
    # Of several joints of the neck, CMU's two, the mean is what points from the chest to the head.
    trunk = {"Neck": tuple(joint for joint in head[:-1] if joint not in shared)}
    trunk["Root"] = (next(joint for joint in reversed(shared) if joint in leg),)
    trunk["Spine3"] = tuple(spine[-1:])
    trunk["Spine1"] = tuple(spine[:-1][:1])
    trunk["Spine2"] = tuple(spine[1:-1])
    return {joint: source for joint, source in trunk.items() if source}


def _plain(name: str) -> str:
    """A joint's name without the character it belongs to: "mixamorig:LeftArm" and "Bip01 L Thigh" -> "leftarm", "lthigh"."""
    return re.sub(r"^bip\d*|[^a-z0-9]", "", name.lower().rpartition(":")[2])


def _spellings(joint: str) -> list[str]:
    """The plain names that a joint of the rig goes by, the most telling first."""
    side, _, word = joint.rpartition("_")
    if not side:
        return [joint.lower()]
    return [s for word in _WORDS[word] for mark in _SIDES[side] for s in (mark + word, word + mark)]


def _rest(take: Take, rest: int | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turns (B, 3, 3) and positions (B, 3) of the actor's joints in the rest pose."""
    if rest is None:
        local, position = np.tile(np.eye(3), (1, len(take.skeleton.names), 1, 1)), np.zeros((1, 3))
    elif -len(take.position) <= rest < len(take.position):
        local, position = take.rotations[[rest]], take.position[[rest]]
    else:
        raise MotionError(f"{take.name!r}: rest asks for frame {rest}; there are {len(take.position)} frames, from 0")
    turns, positions = take.skeleton.forward(local, position)
    return turns[0], positions[0]


def _mean(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """The turns (F, 3, 3) that are nearest to all of (F, S, 3, 3)."""
    return Rotation.from_matrix(turns.mean(axis=1)).as_matrix()  # from_matrix takes the nearest turn


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)


def _root_alignment(points: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """The turn (3, 3) from the rig's axes, left, up and forward, to those of the actor at rest.

    Up is the axis of the actor's world that is nearest to the way from the hips to the head, since gravity pulls along
    an axis in every file, while backs are not straight.
    """
    rise = points["Head"] - (points["L_Hip"] + points["R_Hip"]) / 2
    axis = np.argmax(np.abs(rise))
    up = np.sign(rise[axis]) * np.eye(3)[axis]
    left = points["L_Hip"] - points["R_Hip"]
    left = _unit(left - (left @ up) * up)
    return np.stack([left, up, np.cross(left, up)], axis=1)


def _alignments(
    points: Mapping[str, NDArray[np.float64]], root: NDArray[np.float64], name: str
) -> dict[str, NDArray[np.float64]]:
    """The turns (3, 3) that lay the rig's limbs over the actor's at rest."""
    alignments: dict[str, NDArray[np.float64]] = {}
    for joint, end in _BONES.items():
        parent = alignments.get(JOINTS[PARENTS[JOINTS.index(joint)]], root)
        rig_direction = _unit(parent @ OFFSETS[JOINTS.index(end)])
        direction = _unit(points[end] - points[joint])
        alignments[joint] = _smallest_turn(rig_direction, direction) @ parent
        if joint.endswith(("Hip", "Knee")) and direction @ root[:, 1] > -0.5:
            raise MotionError(
                f"{name!r}: nobody stands like the rest pose, whose {joint}-{end} points "
                f"{np.degrees(np.arccos(-direction @ root[:, 1])):.0f} degrees away from down; give the number of a frame "
                f"in which the person stands upright with straight legs as rest="
            )
    for side in "LR":  # at rest, a hand carries on the line of its forearm
        alignments[f"{side}_Wrist"] = alignments[f"{side}_Elbow"]
    return alignments


def _smallest_turn(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The turn (3, 3) by the smallest angle that brings the unit vector a (3,) to b (3,)."""
    axis, cosine = np.cross(a, b), a @ b
    sine = np.linalg.norm(axis)
    if sine < 1e-9:
        # Opposite: half a turn about any axis across a.
        axis = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])
        sine, angle = np.linalg.norm(axis), 0.0 if cosine > 0 else np.pi
    else:
        angle = np.arctan2(sine, cosine)
    return Rotation.from_rotvec(axis / sine * angle).as_matrix()


def _local(driven: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float32]:
    """Axis-angles (F, 22, 3) of the rig's joints relative to their parents, from the global turns of some.

    A joint that nothing drives stays at rest, but for those that share.
    """
    rotations = np.zeros((len(driven["Root"]), len(JOINTS), 3), dtype=np.float32)
    for joint in driven:
        index = JOINTS.index(joint)
        parent = PARENTS[index]
        while parent >= 0 and JOINTS[parent] not in driven:
            parent = PARENTS[parent]
        base = driven[JOINTS[parent]].transpose(0, 2, 1) if parent >= 0 else np.eye(3)
        turn = Rotation.from_matrix(base @ driven[joint]).as_rotvec()
        sharing = [index, *(JOINTS.index(idle) for idle in _SHARING.get(joint, ()) if idle not in driven)]
        rotations[:, sharing] = turn[:, None] / len(sharing)
    return rotations
