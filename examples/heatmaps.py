"""
Heatmaps from another network
=============================

Heatmaps from somebody else's network: the best configuration, proven, in place of every part's own best pixel.

Networks for people in pictures of 256 x 192 pixels return one map per keypoint, (17, 64, 48), and a file of the truth
that they were trained on has poses (S, 17, 2). That is all that is needed: a graph and terms are learned from the
poses, the maps become a problem, and `exact` solves it, loops and all. Here the maps are made by a stand-in that makes
the mistakes such networks make: left and right mixed up, a second person, joints hidden. It writes ``maps.npz`` and
``poses.npz`` to a folder that is removed afterwards; bring your own, and call `main` with their folder. Needs
partgraph-solvers.
"""

import tempfile
from pathlib import Path
from typing import Literal

import numpy as np

from partgraph import Graph, Problem, Quadratic, Status, solve
from partgraph.topologies import learn, quadratics

PARTS = [
    "nose",
    "left-eye",
    "right-eye",
    "left-ear",
    "right-ear",
    "left-shoulder",
    "right-shoulder",
    "left-elbow",
]
PARTS += ["right-elbow", "left-wrist", "right-wrist", "left-hip", "right-hip", "left-knee", "right-knee"]
PARTS += ["left-ankle", "right-ankle"]
OTHER = {"left": "right", "right": "left"}
STRIDE = 4  # pixels of the picture per pixel of a map


# -- your part: three lines to read, a few to solve --------------------------------------------------------------


def terms_of(graph: Graph, poses: np.ndarray) -> list[Quadratic]:
    """Return the terms that fit the poses, all together as strong as those of a tree.

    Edges of loops say some things twice; at full strength they would outweigh the maps.
    """
    share = (len(graph.parts) - 1) / len(graph.edges)
    return [Quadratic(term.weight * share, term.offset) for term in quadratics(graph, poses)]


def problem_of(
    maps: np.ndarray, graph: Graph, terms: list[Quadratic], keep: int | Literal["provable"] | None = None
) -> Problem:
    """Return the problem of the maps of one picture, probabilities (17, 64, 48), in pixels of the picture."""
    return Problem.from_heatmaps(
        np.clip(maps, 1e-4, 1),
        graph,
        terms,
        values="probability",
        origin=(STRIDE - 1) / 2,
        spacing=STRIDE,
        keep=keep,
    )


def main(folder: Path) -> None:
    with np.load(folder / "poses.npz") as file:
        poses = file["poses"]  # (S, 17, 2) px, NaN where nobody annotated
    with np.load(folder / "maps.npz") as file:
        maps, truth = file["maps"], file["truth"]  # (M, 17, 64, 48), and (M, 17, 2) px to compare with

    tree, loopy = learn(poses, PARTS), learn(poses, PARTS, further=14)
    tree_terms, loopy_terms = terms_of(tree, poses), terms_of(loopy, poses)
    print(f"learned from {len(poses)} poses: {', '.join(map(loopy.edge_name, range(len(loopy.edges))))}")
    errors: dict[str, list[np.ndarray]] = {name: [] for name in ("best pixels", "tree", "loops")}
    differ, left, every = 0, 0, 0
    for own, true in zip(maps, truth, strict=True):
        pixels = own.reshape(len(PARTS), -1).argmax(1)
        y, x = np.unravel_index(pixels, own.shape[1:])
        found = {"best pixels": np.stack([x, y], 1) * STRIDE + (STRIDE - 1) / 2}
        for name, graph, terms in (("tree", tree, tree_terms), ("loops", loopy, loopy_terms)):
            problem = problem_of(own, graph, terms)
            solution = solve(problem, "exact")
            assert solution.status is Status.OPTIMAL
            found[name] = problem.positions(solution.labels[0])
        # The same with fewer candidates: those that a bound excludes are not missed, those that merely score less are.
        provable = problem_of(own, loopy, loopy_terms, keep="provable")
        assert np.array_equal(provable.positions(solve(provable, "exact").labels[0]), found["loops"])
        left, every = left + sum(provable.sizes), every + sum(problem.sizes)
        few = problem_of(own, loopy, loopy_terms, keep=20)
        differ += bool(solve(few, "exact").scores[0] < solution.scores[0])
        for name, places in found.items():
            errors[name].append(np.linalg.norm(places - true, axis=1))
    print(f"keep='provable' leaves {100 * left / every:.1f} % of the candidates and the best configuration")
    print(f"keep=20 loses the best configuration of {differ} of {len(maps)} pictures")
    for name, each in errors.items():
        error = np.array(each)
        print(f"{name:12} mean error {error.mean():5.1f} px, within 10 px {100 * (error < 10).mean():5.1f} %")


# -- the stand-in ------------------------------------------------------------------------------------------------

LIMBS = [("left-shoulder", "left-elbow", 50, 0.9), ("left-elbow", "left-wrist", 42, 1.3)]
LIMBS += [("left-hip", "left-knee", 62, 0.35), ("left-knee", "left-ankle", 58, 0.35)]
LIMBS += [(a.replace("left", "right"), b.replace("left", "right"), n, s) for a, b, n, s in LIMBS]
TORSO = {
    "left-shoulder": (20, -36),
    "right-shoulder": (-20, -36),
    "left-hip": (13, 20),
    "right-hip": (-13, 20),
}
HEAD = {
    "nose": (0, 0),
    "left-eye": (5, -5),
    "right-eye": (-5, -5),
    "left-ear": (11, -2),
    "right-ear": (-11, -2),
}


def person(rng: np.random.Generator) -> np.ndarray:
    """Return somebody who stands about in the middle of the picture: (17, 2) px."""

    def turned(vector: tuple[float, float], angle: float) -> np.ndarray:
        cos, sin = np.cos(angle), np.sin(angle)
        return np.array([[cos, -sin], [sin, cos]]) @ vector

    size, lean, facing = rng.uniform(0.65, 0.95), rng.normal(0, 0.12), rng.uniform(0.5, 1.0)
    narrow = np.array([facing, 1.0])
    place = {name: turned(tuple(narrow * at), lean) for name, at in TORSO.items()}
    head, nod = turned((0, -58), lean + rng.normal(0, 0.08)), rng.normal(0, 0.2)
    place |= {name: head + turned(tuple(narrow * at), lean + nod) for name, at in HEAD.items()}
    for start, end, length, spread in LIMBS:
        place[end] = place[start] + turned((0, length), lean + rng.normal(0, spread))
    pose = np.array([place[name] for name in PARTS]) * size
    return pose - (pose.max(0) + pose.min(0)) / 2 + [96, 128] + rng.normal(0, 4, 2)


def maps_of(rng: np.random.Generator, pose: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return what a network might say of a pose while another person is near: (17, 64, 48)."""
    y, x = np.mgrid[:64, :48] * STRIDE + (STRIDE - 1) / 2

    def bump(place: np.ndarray, height: float) -> np.ndarray:
        return height * np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * 9.0**2))

    maps = []
    for part, name in enumerate(PARTS):
        side, _, joint = name.partition("-")
        twin = PARTS.index(f"{OTHER[side]}-{joint}") if joint else part
        hidden = rng.random() < 0.15
        peaks = [
            bump(
                pose[part] + rng.normal(0, 2, 2), rng.uniform(0.05, 0.2) if hidden else rng.uniform(0.6, 0.95)
            )
        ]
        if twin != part and rng.random() < 0.4:
            peaks.append(bump(pose[twin] + rng.normal(0, 3, 2), rng.uniform(0.4, 0.95)))
        if rng.random() < 0.3:
            peaks.append(bump(other[part] + rng.normal(0, 3, 2), rng.uniform(0.4, 0.9)))
        maps.append(np.max(peaks, 0) + rng.normal(0, 0.01, y.shape))
    return np.array(maps)


def stand_in(folder: Path) -> None:
    """Write the maps of ten pictures, and a thousand training poses, some of their parts not annotated."""
    rng = np.random.default_rng(0)
    training = np.array([person(rng) for _ in range(1000)])
    training[rng.random(training.shape[:2]) < 0.1] = np.nan
    truth = np.array([person(rng) for _ in range(10)])
    others = [person(rng) + np.array([rng.choice([-60, 60]), 0]) for _ in truth]
    values = np.array([maps_of(rng, *both) for both in zip(truth, others, strict=True)])
    np.savez(folder / "maps.npz", maps=values.astype(np.float32), truth=truth)
    np.savez(folder / "poses.npz", poses=training)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        stand_in(Path(name))
        main(Path(name))
