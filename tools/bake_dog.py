"""Make ``dog_apache.npz``, the dog that ships with partgraph-dogpose, from dm_control 1.0.50.

The dog is that of dm_control's suite (Apache-2.0): its skin, and the bones and hinges that its model file describes.
MuJoCo reads them; it is not needed to use the result. In an environment with `mujoco`, Pillow and partgraph-dogpose

    pip download --no-deps dm_control==1.0.50
    unzip dm_control-1.0.50-py3-none-any.whl 'dm_control/suite/*'
    python tools/bake_dog.py dm_control/suite dog_apache.npz --check

writes the file and compares it with the shipped one: exit status 1 where they differ. See docs/dog-pose.md.
"""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np

LEAST_WEIGHT = 0.01  # of a bone on a vertex; smaller ones are left out


def bake(suite: Path) -> dict[str, np.ndarray]:
    """Return the arrays of the dog."""
    import mujoco

    model = mujoco.MjModel.from_xml_path(str(suite / "dog.xml"))
    data = mujoco.MjData(model)
    data.qpos[:] = model.qpos0
    mujoco.mj_kinematics(model, data)

    bodies = [int(body) for body in model.skin_bonebodyid]
    if not np.allclose(data.xmat[bodies].reshape(-1, 3, 3), np.eye(3), atol=1e-6):
        raise SystemExit("the dog's bones do not rest unturned; is this dm_control 1.0.50?")

    def kept(body: int) -> int:
        """Index of the first bone of the skin on the way from a body to the root, -1 beyond it."""
        while body and body not in bodies:
            body = int(model.body_parentid[body])
        return bodies.index(body) if body else -1

    hinges = [
        joint
        for joint in range(model.njnt)
        if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE and model.jnt_bodyid[joint] in bodies
    ]
    bones = np.repeat(np.arange(model.nskinbone), model.skin_bonevertnum)
    enough = model.skin_bonevertweight > LEAST_WEIGHT
    faces = model.skin_face.reshape(-1, 3)
    return {
        "vertices": model.skin_vert.reshape(-1, 3).astype(np.float16),
        "faces": faces.astype(np.uint16),
        "color": colors(suite / "dog_assets/skin_texture.png", model.skin_texcoord[faces].mean(1)),
        "skin_vertex": model.skin_bonevertid[enough].astype(np.uint16),
        "skin_bone": bones[enough].astype(np.uint8),
        "skin_weight": (model.skin_bonevertweight[enough] * 255).round().astype(np.uint8),
        "bones": np.array([model.body(body).name for body in bodies]),
        "parents": np.array([kept(int(model.body_parentid[body])) for body in bodies], np.int8),
        "heads": data.xpos[bodies].astype(np.float32),
        "hinge_bone": np.array([bodies.index(int(model.jnt_bodyid[joint])) for joint in hinges], np.uint8),
        "anchor": data.xanchor[hinges].astype(np.float32),
        "axis": data.xaxis[hinges].astype(np.float32),
        "limits": np.degrees(model.jnt_range[hinges]).round(3).astype(np.float32),
    }


def colors(texture: Path, at: np.ndarray) -> np.ndarray:
    """Return the texture's colours (F, 3) uint8 at coordinates (F, 2) in [0, 1]."""
    from PIL import Image

    pixels = np.asarray(Image.open(texture).convert("RGB"))
    height, width = pixels.shape[:2]
    column = np.clip((at[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip((at[:, 1] * height).astype(int), 0, height - 1)
    return pixels[row, column]


def different(values: dict[str, np.ndarray]) -> list[str]:
    """Return the names of the arrays that differ from the shipped ones."""
    shipped = files("partgraph_dogpose").joinpath("assets/dog_apache.npz")
    with shipped.open("rb") as file, np.load(file, allow_pickle=False) as known:
        names = sorted({*known, *values})
        return [
            name for name in names if name not in known or not np.array_equal(known[name], values.get(name))
        ]


def main() -> int:
    """Bake the dog into a file, and compare it with the shipped one where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("suite", type=Path, help="dm_control's folder suite, with dog.xml")
    parser.add_argument("out", type=Path, help="the .npz to write")
    parser.add_argument("--check", action="store_true", help="compare with the shipped file")
    options = parser.parse_args()
    values = bake(options.suite)
    np.savez_compressed(options.out, **values)
    if not options.check:
        return 0
    names = different(values)
    sys.stdout.write(f"differ: {', '.join(names)}\n" if names else "equal\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
