"""Make ``motion_baked.npz``, the clips that ship with partgraph-humanpose, from DeepMimic's motion files.

The fifteen files ``humanoid3d_*.txt`` are in the wheel of pybullet 3.2.7, in ``pybullet_data/data/motions``. Run

    python tools/bake_motion.py FOLDER motion_baked.npz
    python tools/bake_motion.py FOLDER --check

where the second compares with the shipped file and exits with 1 where they differ. See docs/data.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
from partgraph_humanpose.motion.rig import JOINTS
from scipy.spatial.transform import Rotation

# Where each turn stands in a row of 44 numbers: four are a quaternion w x y z, one is a hinge about z.
SOURCE = {
    "Root": slice(4, 8),
    "chest": slice(8, 12),
    "neck": slice(12, 16),
    "R_Hip": slice(16, 20),
    "R_Knee": slice(20, 21),
    "R_Ankle": slice(21, 25),
    "R_Shoulder": slice(25, 29),
    "R_Elbow": slice(29, 30),
    "L_Hip": slice(30, 34),
    "L_Knee": slice(34, 35),
    "L_Ankle": slice(35, 39),
    "L_Shoulder": slice(39, 43),
    "L_Elbow": slice(43, 44),
}
POSITION = slice(1, 4)  # of the root, metres

# DeepMimic has x forward, y up and z to the right; the rig x to the left, y up and z forward.
AXES = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])

# DeepMimic's arms hang down at rest, the rig's point sideways: what turns the latter down.
DOWN = {"L": Rotation.from_rotvec([0, 0, -np.pi / 2]), "R": Rotation.from_rotvec([0, 0, np.pi / 2])}


def turns(rows: np.ndarray) -> dict[str, Rotation]:
    """Return the turns of rows (F, 44) by joint, in the axes of the rig."""
    found = {}
    for name, where in SOURCE.items():
        numbers = rows[:, where]
        if numbers.shape[1] == 1:
            turn = Rotation.from_rotvec(numbers * [[0.0, 0.0, 1.0]])
        else:
            turn = Rotation.from_quat(numbers[:, [1, 2, 3, 0]])
        found[name] = Rotation.from_matrix(AXES @ turn.as_matrix() @ AXES.T)
    return found


def bake(rows: np.ndarray) -> np.ndarray:
    """Return rows (F, 44) of DeepMimic as rows (F, 69) of the rig: root's turn, its position, other turns."""
    source = turns(rows)
    vectors = {name: source[name].as_rotvec() for name in source if name in JOINTS}
    for spine in ("Spine1", "Spine2", "Spine3"):
        vectors[spine] = source["chest"].as_rotvec() / 3
    for top in ("Neck", "Head"):
        vectors[top] = source["neck"].as_rotvec() / 2
    for side, down in DOWN.items():
        vectors[f"{side}_Shoulder"] = (source[f"{side}_Shoulder"] * down).as_rotvec()
        vectors[f"{side}_Elbow"] = (down.inv() * source[f"{side}_Elbow"] * down).as_rotvec()
    still = np.zeros((len(rows), 3))
    other = [vectors.get(name, still) for name in JOINTS[1:]]
    return np.hstack([vectors["Root"], rows[:, POSITION] @ AXES.T, *other]).astype(np.float16)


def main() -> int:
    """Bake the clips of a folder into a file, or compare them with the shipped one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds humanoid3d_*.txt")
    parser.add_argument("out", type=Path, nargs="?", help="the .npz file to write")
    parser.add_argument("--check", action="store_true", help="compare with the shipped file")
    arguments = parser.parse_args()
    sources = sorted(arguments.folder.glob("humanoid3d_*.txt"))
    if not sources or (arguments.out is None and not arguments.check):
        parser.error("a folder with humanoid3d_*.txt files, and a file to write or --check, are needed")
    clips = [bake(np.array(json.loads(source.read_text())["Frames"])) for source in sources]
    values = {
        "x": np.concatenate(clips),
        "n": np.array([len(clip) for clip in clips]),
        "names": np.array([source.stem.removeprefix("humanoid3d_") for source in sources]),
    }
    if arguments.out is not None:
        np.savez_compressed(arguments.out, **values)
    if not arguments.check:
        return 0
    shipped = files("partgraph_humanpose").joinpath("assets/motion_baked.npz")
    with shipped.open("rb") as file, np.load(file, allow_pickle=False) as known:
        same = set(values) == set(known) and all(np.array_equal(values[k], known[k]) for k in values)
    verdict = "equal to" if same else "DIFFERENT from"
    print(f"{len(values['x'])} frames of {len(clips)} clips: {verdict} the shipped file")  # noqa: T201
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
