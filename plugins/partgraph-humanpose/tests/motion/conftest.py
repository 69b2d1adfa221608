"""Tiny motion files, written from a table of joints: name -> parent and the way from there."""

from pathlib import Path

import numpy as np
import pytest

# A T-pose in centimetres with the names of Mixamo, x to the left, y up, z forward.
T_POSE = {
    "Hips": ("", (0, 100, 0)),
    "Spine": ("Hips", (0, 10, 0)),
    "Spine1": ("Spine", (0, 12, 0)),
    "Spine2": ("Spine1", (0, 12, 0)),
    "Neck": ("Spine2", (0, 18, -2)),
    "Head": ("Neck", (0, 10, 1)),
}
for _side, _x in (("Left", 1), ("Right", -1)):
    T_POSE |= {
        f"{_side}Shoulder": ("Spine2", (6 * _x, 12, 0)),
        f"{_side}Arm": (f"{_side}Shoulder", (12 * _x, 0, 0)),
        f"{_side}ForeArm": (f"{_side}Arm", (28 * _x, 0, 0)),
        f"{_side}Hand": (f"{_side}ForeArm", (25 * _x, 0, 0)),
        f"{_side}UpLeg": ("Hips", (9 * _x, -5, 0)),
        f"{_side}Leg": (f"{_side}UpLeg", (0, -42, 0)),
        f"{_side}Foot": (f"{_side}Leg", (0, -42, 0)),
        f"{_side}ToeBase": (f"{_side}Foot", (0, -6, 14)),
    }

ROTATIONS = "Zrotation Xrotation Yrotation"


class Figure:
    """A person to write to a file; joints turn by {name: three angles in degrees, in the order of the file}."""

    def __init__(self, joints=T_POSE, rotations=ROTATIONS, rename=str):
        self.joints, self.rotations, self.rename = dict(joints), rotations, rename

    def _joint(self, name, depth=0):
        parent, offset = self.joints[name]
        children = [child for child, (above, _) in self.joints.items() if above == name]
        positions = "" if parent else "Xposition Yposition Zposition "
        lines = [
            f"{'JOINT' if parent else 'ROOT'} {self.rename(name)}",
            "{",
            "OFFSET " + " ".join(repr(float(x)) for x in offset),
            f"CHANNELS {3 if parent else 6} {positions}{self.rotations}",
            *(line for child in children for line in self._joint(child, depth + 1)),
            *([] if children else ["End Site", "{", "OFFSET 0 0 1", "}"]),
            "}",
        ]
        return ["  " * depth + line for line in lines]

    def order(self, name="Hips"):
        """The joints in the order of the file."""
        children = [child for child, (above, _) in self.joints.items() if above == name]
        return [name, *(joint for child in children for joint in self.order(child))]

    def text(self, frames, positions=None):
        positions = [self.joints["Hips"][1]] * len(frames) if positions is None else positions
        rows = [
            [*position, *(angle for joint in self.order() for angle in turns.get(joint, (0, 0, 0)))]
            for turns, position in zip(frames, positions, strict=True)
        ]
        motion = ["MOTION", f"Frames: {len(frames)}", "Frame Time: 0.05"]
        motion += [" ".join(repr(float(x)) for x in row) for row in rows]
        return "\n".join(["HIERARCHY", *self._joint("Hips"), *motion]) + "\n"


# An actor like CMU's: bones with their direction, length, axis and dof; legs apart, arms out, two joints of
# the neck.
BONES = {
    "lowerback": ("root", (0, 1, 0), 2.0, (0, 0, 0), "rx ry rz"),
    "upperback": ("lowerback", (0, 1, 0), 2.0, (0, 0, 0), "rx ry rz"),
    "thorax": ("upperback", (0, 1, 0), 2.0, (10, 20, 30), "rx ry rz"),
    "lowerneck": ("thorax", (0, 1, 0), 1.5, (0, 0, 0), "rx ry rz"),
    "upperneck": ("lowerneck", (0, 1, 0), 1.5, (0, 0, 0), "rx ry rz"),
    "head": ("upperneck", (0, 1, 0), 1.5, (0, 0, 0), "rx ry rz"),
}
for _s, _x in (("l", 1), ("r", -1)):
    BONES |= {
        f"{_s}hipjoint": ("root", (0.6 * _x, -0.8, 0), 2.5, (0, 0, 0), ""),
        f"{_s}femur": (f"{_s}hipjoint", (0.34202 * _x, -0.939693, 0), 7.0, (0, 0, 20 * _x), "rx ry rz"),
        f"{_s}tibia": (f"{_s}femur", (0.34202 * _x, -0.939693, 0), 7.5, (0, 0, 20 * _x), "rx"),
        f"{_s}foot": (f"{_s}tibia", (0, -0.2, 0.979796), 2.0, (-90, 0, 20 * _x), "rx rz"),
        f"{_s}toes": (f"{_s}foot", (0, 0, 1), 1.0, (-90, 0, 20 * _x), "rx"),
        f"{_s}clavicle": ("thorax", (0.9 * _x, 0.43589, 0), 3.5, (0, 0, 0), "ry rz"),
        f"{_s}humerus": (f"{_s}clavicle", (_x, 0, 0), 5.0, (180, -30 * _x, -90 * _x), "rx ry rz"),
        f"{_s}radius": (f"{_s}humerus", (_x, 0, 0), 3.5, (180, -30 * _x, -90 * _x), "rx"),
        f"{_s}wrist": (f"{_s}radius", (_x, 0, 0), 1.7, (0, 90 * _x, 90 * _x), "ry"),
        f"{_s}hand": (f"{_s}wrist", (_x, 0, 0), 0.7, (0, 90 * _x, 90 * _x), "rx rz"),
    }
ROOT_ORDER = "TX TY TZ RX RY RZ"


class Actor:
    """An actor to write to ASF and AMC files."""

    def __init__(self, bones=BONES, order=ROOT_ORDER, angle="deg"):
        self.bones, self.order, self.angle = dict(bones), order, angle

    def dof(self):
        """{bone: channels}, of the bones that have any."""
        dof = {"root": self.order.lower().split()}
        return dof | {name: bone[4].split() for name, bone in self.bones.items() if bone[4]}

    def asf(self):
        lines = ["# comment", ":version 1.10", ":name VICON", ":units", "  mass 1.0", "  length 0.45"]
        lines += [f"  angle {self.angle}", ":documentation", "  by hand", ":root", f"  order {self.order}"]
        lines += ["  axis XYZ", "  position 0 0 0", "  orientation 0 0 0", ":bonedata"]
        for number, (name, (_, direction, length, axis, dof)) in enumerate(self.bones.items(), start=1):
            axis = np.deg2rad(axis) if self.angle == "rad" else axis
            lines += ["  begin", f"    id {number}", f"    name {name}"]
            lines += ["    direction " + " ".join(map(repr, map(float, direction))), f"    length {length}"]
            lines += ["    axis " + " ".join(map(repr, map(float, axis))) + "  XYZ"]
            if dof:
                lines += [f"    dof {dof}", "    limits (-180 180)", *["      (-180 180)"] * dof.count(" ")]
            lines += ["  end"]
        lines += [":hierarchy", "  begin"]
        for parent in ["root", *self.bones]:
            children = [name for name, bone in self.bones.items() if bone[0] == parent]
            lines += [" ".join([f"    {parent}", *children])] if children else []
        return "\n".join([*lines, "  end"]) + "\n"

    def amc(self, frames, step=1):
        """Frames of {bone: values}; what is left out is zero."""
        lines = ["#!OML:ASF", ":FULLY-SPECIFIED", ":DEGREES" if self.angle == "deg" else ":RADIANS"]
        for number, values in enumerate(frames):
            lines.append(str(1 + step * number))
            for bone, channels in self.dof().items():
                row = values.get(bone, [0.0] * len(channels))
                lines.append(" ".join([bone, *(repr(float(value)) for value in row)]))
        return "\n".join(lines) + "\n"

    def random_frames(self, count, seed):
        """Angles within a turn, and shifts."""
        random = np.random.default_rng(seed)
        limit = 180 if self.angle == "deg" else np.pi
        return [
            {bone: random.uniform(-limit, limit, len(channels)) for bone, channels in self.dof().items()}
            for _ in range(count)
        ]


@pytest.fixture
def figure():
    """The class of figures to write as BVH."""
    return Figure


@pytest.fixture
def actor():
    """The class of actors to write as ASF and AMC."""
    return Actor


@pytest.fixture
def write(tmp_path):
    """Write a text to a file in a fresh folder."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write
