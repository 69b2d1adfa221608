"""The shipped dog: a skinned mesh, a skeleton of hinges with anatomical limits, and breeds as warps of its rest.

All of the skeleton is described in the rest pose: a hinge turns everything behind it about an axis through a point, so
a bone's motion is the product of the hinges between it and the root (Murray, Li & Sastry 1994, section 3.2).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import as_file, files

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.errors import PartGraphError
from partgraph.rendering import PosedMesh
from partgraph_dogpose.skeleton import PARTS

_DEPTH_INSIDE = 0.1  # m: a joint lies inside the body, this far behind the surface at most
_BELLY = 0.38  # m: height at rest below which there are legs only
_BROW = 0.36  # m: forward of it there is muzzle only
_ROUNDING = 1e-9  # radians

_ALONG_SPINE = {"skull": "skull", "neck": "C_4", "neck-base": "C_7", "loin": "L_3", "pelvis": "pelvis"}
_ALONG_TAIL = {"tail-base": "Ca_1", "tail-middle": "Ca_11", "tail-tip": "Ca_21"}
_IN_LEGS = {
    "shoulder": "upper_arm",
    "elbow": "lower_arm",
    "wrist": "hand",
    "fore-paw": "finger",
    "hip": "upper_leg",
    "knee": "lower_leg",
    "hock": "foot",
    "hind-paw": "toe",
}
_BONE_OF = {"nose": "skull"} | _ALONG_SPINE | _ALONG_TAIL
_BONE_OF |= {
    f"{side}-{joint}": f"{bone}_{side[0].upper()}"
    for side in ("left", "right")
    for joint, bone in _IN_LEGS.items()
}


class JointLimitError(PartGraphError, ValueError):
    """A pose that no dog can take."""


@attrs.frozen
class Breed:
    """How a dog differs from the shipped one; factors on lengths.

    Attributes
    ----------
    size : of everything
    length, girth : of the body along and across
    legs, muzzle : of these alone
    """

    size: float = 1.0
    length: float = 1.0
    girth: float = 1.0
    legs: float = 1.0
    muzzle: float = 1.0

    @classmethod
    def draw(cls, random: np.random.Generator) -> Breed:
        """A dog from terrier to wolfhound, if not all of the oddest."""
        return cls(
            size=random.uniform(0.8, 1.2),
            length=random.uniform(0.88, 1.12),
            girth=random.uniform(0.85, 1.25),
            legs=random.uniform(0.7, 1.15),
            muzzle=random.uniform(0.7, 1.15),
        )

    def __call__(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points (n, 3) of the shipped dog at rest, moved to where this dog has them."""
        x, y, z = np.asarray(points, np.float32).T
        x = np.where(x > _BROW, _BROW + (x - _BROW) * self.muzzle, x) * self.length
        z = np.where(z < _BELLY, _BELLY + (z - _BELLY) * self.legs, z)
        return (np.stack([x, y * self.girth, z], -1) * self.size).astype(np.float32)


@attrs.frozen(eq=False)
class DogModel:
    """Mesh, skin and skeleton of the dog at rest: standing, x forward, y to its left, z up, metres.

    Attributes
    ----------
    vertices : (V, 3) float32, m
    faces : (F, 3) int32
    color : (F, 3) float32, RGB in [0, 1], of the coat it was scanned with
    skin : (V, B) float32
        Share of every bone in the motion of a vertex; rows sum to one.
    bones : names of the bones; a bone comes after its parent
    parents : (B,) int, -1 for the root
    hinges : names of the hinges, ``bone.number``, in the order in which they turn
    hinge_bone : (H,) int, the bone that is turned
    anchor, axis : (H, 3) float32, m
    limits : (H, 2) float64, radians
    points : (25, 3) float32, m, the parts in the order of `PARTS`
    point_bone : (25,) int, the bone that each moves with
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    color: NDArray[np.float32]
    skin: NDArray[np.float32]
    bones: tuple[str, ...]
    parents: NDArray[np.int64]
    hinges: tuple[str, ...]
    hinge_bone: NDArray[np.int64]
    anchor: NDArray[np.float32]
    axis: NDArray[np.float32]
    limits: NDArray[np.float64]
    points: NDArray[np.float32]
    point_bone: NDArray[np.int64]

    @functools.cached_property
    def centers(self) -> NDArray[np.float32]:
        """Middle (F, 3) of every face, m."""
        return self.vertices[self.faces].mean(1)

    def angles(self, degrees: Mapping[str, float]) -> NDArray[np.float64]:
        """Angles (H,) in radians from those named; the others rest at zero. Limits are not asked for here."""
        unknown = sorted(degrees.keys() - set(self.hinges))
        if unknown:
            raise KeyError(f"the dog has no hinge {', '.join(unknown)}")
        return np.radians([degrees.get(hinge, 0.0) for hinge in self.hinges])

    def within_limits(self, angles: NDArray[np.floating]) -> NDArray[np.float64]:
        """The nearest angles (H,) that the joints allow."""
        return np.clip(angles, *self.limits.T)

    def pose(
        self, angles: NDArray[np.floating], root: NDArray[np.floating], breed: Breed | None = None
    ) -> PosedMesh:
        """The body in one pose, its joints in the order of `PARTS`.

        Parameters
        ----------
        angles : (H,) float, radians
        root : (3, 3) float, rotation of the whole body
        breed : the shipped dog's own by default

        Raises
        ------
        JointLimitError
            When an angle is outside its joint's limits.
        """
        low, high = self.limits.T
        wrong = np.flatnonzero(~((angles >= low - _ROUNDING) & (angles <= high + _ROUNDING)))
        if len(wrong):
            k = int(wrong[0])
            least, most = np.degrees(self.limits[k])
            raise JointLimitError(
                f"hinge {self.hinges[k]} turns from {least:.1f} to {most:.1f} degrees, "
                f"not {np.degrees(angles[k]):.1f}; keep angles within DogModel.limits, as within_limits does"
            )
        warp = breed or Breed()
        motion = self._motion(angles, np.asarray(root, np.float64), warp(self.anchor)).astype(np.float32)
        blended = (self.skin @ motion.reshape(-1, 12)).reshape(-1, 3, 4)
        return PosedMesh(
            vertices=_moved(blended, warp(self.vertices)),
            faces=self.faces,
            joints=_moved(motion[self.point_bone], warp(self.points)),
            depth_inside=_DEPTH_INSIDE * warp.size,
        )

    def _motion(
        self, angles: NDArray[np.floating], root: NDArray[np.float64], anchor: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Affine motion (B, 3, 4) of every bone, from rest to the pose."""
        turns = rotations(self.axis, angles)
        moves = np.concatenate([turns, (anchor - np.einsum("hij,hj->hi", turns, anchor))[:, :, None]], 2)
        own: list[list[int]] = [[] for _ in self.bones]
        for hinge, bone in enumerate(self.hinge_bone):
            own[bone].append(hinge)
        motion = np.empty((len(self.bones), 3, 4))
        for bone, parent in enumerate(self.parents):
            motion[bone] = motion[parent] if parent >= 0 else np.column_stack([root, np.zeros(3)])
            for hinge in own[bone]:
                linear = motion[bone, :, :3]
                shift = motion[bone, :, 3] + linear @ moves[hinge, :, 3]
                motion[bone] = np.column_stack([linear @ moves[hinge, :, :3], shift])
        return motion


def rotations(axes: NDArray[np.floating], angles: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rotations (n, 3, 3) by angles (n,) in radians about unit axes (n, 3) (Rodrigues' formula)."""
    x, y, z = np.asarray(axes, np.float64).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)
    sine, cosine = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return np.eye(3) + sine * cross + (1 - cosine) * cross @ cross


def _moved(motion: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points (n, 3), each by its own affine motion (n, 3, 4)."""
    return np.einsum("nij,nj->ni", motion[:, :, :3], points) + motion[:, :, 3]


@functools.cache
def load_dog() -> DogModel:
    """The dog that ships with the plugin (Apache-2.0, see NOTICE)."""
    with as_file(files("partgraph_dogpose") / "assets" / "dog_apache.npz") as path, np.load(path) as data:
        vertices = data["vertices"].astype(np.float32)
        bones = tuple(str(name) for name in data["bones"])
        hinge_bone = data["hinge_bone"].astype(np.int64)
        skin = np.zeros((len(vertices), len(bones)), np.float32)
        skin[data["skin_vertex"], data["skin_bone"]] = data["skin_weight"]
        names: list[str] = []
        for bone in hinge_bone:
            before = sum(name.startswith(f"{bones[bone]}.") for name in names)
            names.append(f"{bones[bone]}.{before}")
        points = data["heads"].astype(np.float32)[[bones.index(_BONE_OF[part]) for part in PARTS]]
        for part, end in (("nose", vertices[:, 0].argmax()), ("tail-tip", vertices[:, 0].argmin())):
            points[PARTS.index(part)] = vertices[end] * [1, 0, 1]
        return DogModel(
            vertices=vertices,
            faces=data["faces"].astype(np.int32),
            color=data["color"].astype(np.float32) / 255,
            skin=skin / skin.sum(1, keepdims=True),
            bones=bones,
            parents=data["parents"].astype(np.int64),
            hinges=tuple(names),
            hinge_bone=hinge_bone,
            anchor=data["anchor"].astype(np.float32),
            axis=data["axis"].astype(np.float32),
            limits=np.radians(data["limits"].astype(np.float64)),
            points=points,
            point_bone=np.array([bones.index(_BONE_OF[part]) for part in PARTS]),
        )
