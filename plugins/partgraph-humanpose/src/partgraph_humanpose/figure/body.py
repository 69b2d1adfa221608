"""The shipped human body: a linear shape space, a skeleton, and linear blend skinning."""

from __future__ import annotations

import functools
import itertools
from importlib.resources import as_file, files

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from partgraph.rendering import PosedMesh
from partgraph_humanpose.skeleton import PARTS

_DEPTH_INSIDE = 0.12  # m: a joint lies inside the body, this far behind the surface at most

# Motion comes in a frame with y up; the body stands in one with z up.
_Y_UP_TO_Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])

# Bone of the body -> joint of a motion frame (the order of `MotionClip.rotations`; 0 is the root).
_MOTION_JOINT = {
    "spine04": 3,
    "spine03": 6,
    "spine02": 9,
    "neck01": 12,
    "head": 15,
    "upperarm01.L": 16,
    "upperarm01.R": 17,
    "lowerarm01.L": 18,
    "lowerarm01.R": 19,
    "upperleg01.L": 1,
    "upperleg01.R": 2,
    "lowerleg01.L": 4,
    "lowerleg01.R": 5,
    "foot.L": 7,
    "foot.R": 8,
}

# MPII joint -> the bones whose heads (averaged) it is; the head top is a vertex of the mesh.
_JOINT_BONES = {
    "right-ankle": ("foot.R",),
    "right-knee": ("lowerleg01.R",),
    "right-hip": ("upperleg01.R",),
    "left-hip": ("upperleg01.L",),
    "left-knee": ("lowerleg01.L",),
    "left-ankle": ("foot.L",),
    "pelvis": ("upperleg01.L", "upperleg01.R"),
    "thorax": ("upperarm01.L", "upperarm01.R"),
    "neck": ("neck01",),
    "right-wrist": ("wrist.R",),
    "right-elbow": ("lowerarm01.R",),
    "right-shoulder": ("upperarm01.R",),
    "left-shoulder": ("upperarm01.L",),
    "left-elbow": ("lowerarm01.L",),
    "left-wrist": ("wrist.L",),
}


@attrs.frozen(eq=False)
class BodyModel:
    """Shape space, mesh, skeleton and skin weights of the figure.

    Attributes
    ----------
    mean, components : (3 (V + B),), (C, 3 (V + B)) float32, m
        Rest vertices and bone heads as a linear function of `C` shape coefficients of unit variance.
    faces : (F, 3) int32
    skin : (V, B) float32
        Share of every bone in the motion of a vertex; rows sum to one.
    parents : (B,) int
        Parent bone, -1 for the root; parents come before children.
    bones : names of the bones
    head_top : index of the vertex at the top of the head
    region : (V,) uint8
        0 skin, 1 trousers, 2 shirt, 3 shoes.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    faces: NDArray[np.int32]
    skin: NDArray[np.float32]
    parents: NDArray[np.int64]
    bones: tuple[str, ...]
    head_top: int
    region: NDArray[np.uint8]

    def rest(self, shape: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Rest vertices (V, 3) and bone heads (B, 3) in metres for shape coefficients (C,)."""
        flat = (self.mean + np.asarray(shape, np.float32) @ self.components).reshape(-1, 3)
        return flat[: len(self.skin)], flat[len(self.skin) :]

    def pose(self, shape: NDArray[np.floating], rotations: NDArray[np.floating]) -> PosedMesh:
        """The body in one pose, its joints in the order of `PARTS`.

        Parameters
        ----------
        shape : (C,) float
            Coefficients of unit variance.
        rotations : (22, 3) float, radians
            Axis-angle of the motion joints, the root first (see `MotionClip`).
        """
        vertices, heads = self.rest(shape)
        linear, translation = self._bone_transforms(heads, rotations)
        shift = translation - np.einsum("bij,bj->bi", linear, heads)
        blended = self.skin @ np.concatenate([linear, shift[:, :, None]], 2).reshape(-1, 12).astype(
            np.float32
        )
        blended = blended.reshape(-1, 3, 4)
        posed = (blended[:, :, :3] * vertices[:, None, :]).sum(2) + blended[:, :, 3]
        head_of = dict(zip(self.bones, translation, strict=True))
        joints = [
            posed[self.head_top]
            if part == "head-top"
            else np.mean([head_of[bone] for bone in _JOINT_BONES[part]], axis=0)
            for part in PARTS
        ]
        return PosedMesh(posed, self.faces, np.asarray(joints, np.float32), _DEPTH_INSIDE)

    def _bone_transforms(
        self, heads: NDArray[np.float32], rotations: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Global rotation (B, 3, 3) and head position (B, 3) of every bone."""
        change = _Y_UP_TO_Z_UP
        turns = change @ Rotation.from_rotvec(np.asarray(rotations, np.float64)).as_matrix() @ change.T
        to_t_pose = self._rest_to_t_pose(heads)
        linear = np.empty((len(self.bones), 3, 3))
        translation = np.array(heads, np.float64)
        for bone, (name, parent) in enumerate(zip(self.bones, self.parents, strict=True)):
            turn = turns[_MOTION_JOINT[name]] if name in _MOTION_JOINT else np.eye(3)
            if parent < 0:
                linear[bone] = turns[0] @ turn
            else:
                linear[bone] = linear[parent] @ to_t_pose[parent].T @ turn @ to_t_pose[bone]
                translation[bone] = translation[parent] + linear[parent] @ (heads[bone] - heads[parent])
        return linear, translation

    def _rest_to_t_pose(self, heads: NDArray[np.float32]) -> NDArray[np.float64]:
        """Rotation (B, 3, 3) of every bone from the mesh's rest to the T-pose that motion is relative to.

        The mesh rests with lowered arms and bent elbows. Along an arm or a leg the rotation is the smallest one that,
        after that of the bone before, straightens the limb.
        """
        turn = np.tile(np.eye(3), (len(self.bones), 1, 1))
        for side, outwards in (("L", 1.0), ("R", -1.0)):
            for limb, straight in (
                (("upperarm01.", "lowerarm01.", "wrist."), (outwards, 0.0, 0.0)),
                (("upperleg01.", "lowerleg01.", "foot."), (0.0, 0.0, -1.0)),
            ):
                chain = [self.bones.index(name + side) for name in limb]
                before = np.eye(3)
                for bone, following in itertools.pairwise(chain):
                    direction = before @ (heads[following] - heads[bone])
                    turn[bone] = before = _smallest_turn(direction, np.asarray(straight)) @ before
                if (
                    limb[-1] == "wrist."
                ):  # the hand goes with the forearm; the sole of the rest pose is flat already
                    turn[chain[-1]] = before
        return turn


def _smallest_turn(start: NDArray[np.floating], end: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rotation (3, 3) that takes the direction `start` to the direction `end`."""
    axis = np.cross(start, end)
    length = np.linalg.norm(axis)
    if length == 0:
        return np.eye(3)
    return Rotation.from_rotvec(axis / length * np.arctan2(length, start @ end)).as_matrix()


@functools.cache
def load_body() -> BodyModel:
    """The body that ships with the plugin (CC0, see NOTICE)."""
    with as_file(files("partgraph_humanpose") / "assets" / "human_cc0.npz") as path, np.load(path) as data:
        skin = data["w"].astype(np.float32)
        return BodyModel(
            mean=data["mean"].astype(np.float32),
            components=data["comp"].astype(np.float32),
            faces=data["faces"].astype(np.int32),
            skin=skin / skin.sum(1, keepdims=True),
            parents=data["parents"].astype(np.int64),
            bones=tuple(str(name) for name in data["names"]),
            head_top=int(data["head_top"]),
            region=data["region"],
        )
