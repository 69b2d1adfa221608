"""Generated poses with candidates and scores as a network would give them, in classes of difficulty.

A pose of 16 joints (MPII's skeleton) in a cube of 2.2 m; per joint a grid of candidates, moved towards the score's
modes as quantised regression does. Scores are the largest of a few Gaussian bumps plus white and smooth noise.

    easy   one mode per joint
    multi  second modes along the depth axis, distractors elsewhere
    lr     and left and right joints that carry each other's mode
    occl   and two to five joints with hardly any evidence
    conf   lr and occl, and a sixth of the expected displacements belongs to the mirrored pose
    flat   almost no evidence: a stress test, not realistic
    strong lr with four times the pairwise weights
    two    two people in one volume, and a sixth of the expected displacements is the other one's; twice the weights
"""

from __future__ import annotations

import attrs
import numpy as np

from partgraph import Candidates, Problem, Quadratic, Topology

PARTS = (
    "ankle-r", "knee-r", "hip-r", "hip-l", "knee-l", "ankle-l", "pelvis", "thorax",
    "neck", "head", "wrist-r", "elbow-r", "shoulder-r", "shoulder-l", "elbow-l", "wrist-l",
)  # fmt: skip
BONES = (
    (6, 2), (2, 1), (1, 0), (6, 3), (3, 4), (4, 5), (6, 7), (7, 8),
    (8, 9), (7, 12), (12, 11), (11, 10), (7, 13), (13, 14), (14, 15),
)  # fmt: skip
MIRROR = ((0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13))
MIRRORED = [dict((*MIRROR, *((j, i) for i, j in MIRROR))).get(part, part) for part in range(len(PARTS))]
CLASSES = ("easy", "multi", "lr", "occl", "conf", "flat", "strong", "two")
HALF = 1.1  # half the side of the cube, m
PELVIS = 6


def star_edges() -> tuple[tuple[int, int], ...]:
    """Pelvis to every other joint: 15 edges."""
    return tuple((PELVIS, part) for part in range(len(PARTS)) if part != PELVIS)


def tree_edges() -> tuple[tuple[int, int], ...]:
    """The bones: 15 edges."""
    return BONES


def two_hop_edges() -> tuple[tuple[int, int], ...]:
    """Bones and all pairs two bones apart: 33 edges."""
    hops = _hops()
    pairs = [(i, j) for i in range(len(PARTS)) for j in range(i + 1, len(PARTS)) if hops[i, j] == 2]
    return (*BONES, *pairs)


def _hops() -> np.ndarray:
    n = len(PARTS)
    hops = np.full((n, n), n)
    hops[np.arange(n), np.arange(n)] = 0
    for i, j in BONES:
        hops[i, j] = hops[j, i] = 1
    for k in range(n):
        hops = np.minimum(hops, hops[:, k, None] + hops[None, k])
    return hops


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _pose(rng: np.random.Generator) -> np.ndarray:
    """Return a person, standing or sitting, turned at random: (16, 3) m; x right, y down, z away."""
    turn = rng.uniform(0, 2 * np.pi)
    side, ahead, down = (
        np.array([np.cos(turn), 0, np.sin(turn)]),
        np.array([-np.sin(turn), 0, np.cos(turn)]),
        np.eye(3)[1],
    )
    spine = _unit(-down + 0.15 * rng.normal(size=3))
    pose = np.zeros((16, 3))
    pose[6] = 0.05 * rng.normal(size=3)
    pose[7] = pose[6] + 0.48 * spine
    pose[8] = pose[7] + 0.10 * spine
    pose[9] = pose[8] + 0.19 * _unit(spine + 0.2 * rng.normal(size=3))
    thigh = ahead + 0.3 * down if rng.random() < 0.3 else down
    for sign, (hip, knee, ankle, shoulder, elbow, wrist) in (
        (-1, (2, 1, 0, 12, 11, 10)),
        (1, (3, 4, 5, 13, 14, 15)),
    ):
        pose[hip] = pose[6] + sign * 0.13 * side
        pose[knee] = pose[hip] + 0.43 * _unit(thigh + 0.3 * rng.normal(size=3))
        pose[ankle] = pose[knee] + 0.42 * _unit(down - 0.2 * ahead + 0.3 * rng.normal(size=3))
        pose[shoulder] = pose[7] + sign * 0.17 * side
        upper = _unit(rng.uniform(-0.3, 1) * down + 0.2 * sign * side + 0.6 * rng.normal(size=3))
        pose[elbow] = pose[shoulder] + 0.28 * upper
        pose[wrist] = pose[elbow] + 0.25 * _unit(upper + 0.8 * rng.normal(size=3))
    pose -= (pose.max(0) + pose.min(0)) / 2
    return pose * min(1.0, 0.95 / np.abs(pose).max())


def _smooth_noise(rng: np.random.Generator, grid: int) -> np.ndarray:
    """Return noise of unit deviation that varies over about a third of the cube: (grid^3,)."""
    knots = np.linspace(0, 1, max(3, grid // 3))
    weight = np.maximum(0, 1 - np.abs(np.linspace(0, 1, grid)[:, None] - knots) * (len(knots) - 1))
    noise = np.einsum(
        "ia,jb,kc,abc->ijk", weight, weight, weight, rng.normal(size=(len(knots),) * 3), optimize=True
    )
    return (noise / noise.std()).ravel()


def _modes(
    pose: np.ndarray, other: np.ndarray, kind: str, voxel: float, rng: np.random.Generator
) -> list[list[tuple]]:
    """Return per joint the bumps of its score: (position, height, sigma of x and y, sigma of z)."""
    sigma = max(0.09, 0.8 * voxel), max(0.15, 0.9 * voxel)
    height = rng.uniform(1, 3, 16) if kind == "flat" else rng.uniform(7, 10, 16)
    modes = [
        [(p + rng.normal(size=3) * [0.02, 0.02, 0.04], h, *sigma)] for p, h in zip(pose, height, strict=True)
    ]
    if kind in ("multi", "lr", "occl", "conf", "strong", "two"):
        for i, p in enumerate(pose):
            if rng.random() < 0.35:
                depth = rng.choice([-1, 1]) * rng.uniform(0.2, 0.55)
                away = np.array([*(0.04 * rng.normal(size=2)), depth])
                modes[i].append((p + away, height[i] * rng.uniform(0.8, 1.1), *sigma))
            if rng.random() < 0.25:
                modes[i].append((rng.uniform(-0.8, 0.8, 3), height[i] * rng.uniform(0.5, 0.9), *sigma))
    if kind in ("lr", "conf", "strong"):
        for pair in MIRROR:
            if rng.random() < 0.7:
                for i, j in (pair, pair[::-1]):
                    spot = pose[j] + rng.normal(size=3) * [0.03, 0.03, 0.05]
                    modes[i].append((spot, height[i] * rng.uniform(0.9, 1.12), *sigma))
    if kind == "two":
        for i, spot in enumerate(other):
            modes[i].append((spot, height[i] * rng.uniform(0.9, 1.1), *sigma))
    if kind in ("occl", "conf"):
        for i in rng.choice(16, rng.integers(2, 6), replace=False):
            modes[i] = [(pose[i] + 0.12 * rng.normal(size=3), rng.uniform(1, 2.5), 0.35, 0.5)]
    return modes


def _candidates(
    modes: list[tuple], centers: np.ndarray, voxel: float, rng: np.random.Generator
) -> Candidates:
    """Return one joint's voxels, moved towards the strongest mode near them, with their scores."""
    score = np.full(len(centers), -np.inf)
    residual = np.clip(0.18 * voxel * rng.normal(size=centers.shape), -0.45 * voxel, 0.45 * voxel)
    for spot, height, sigma_xy, sigma_z in modes:
        away = centers - spot
        bump = height * np.exp(-0.5 * ((away / [sigma_xy, sigma_xy, sigma_z]) ** 2).sum(1))
        near = (np.abs(away) < 1.3 * voxel).all(1) & (bump > score)
        target = np.clip(-away + 0.02 * rng.normal(size=away.shape), -0.8 * voxel, 0.8 * voxel)
        residual = np.where(near[:, None], target, residual)
        score = np.maximum(score, bump)
    grid = round(len(centers) ** (1 / 3))
    score += 0.35 * rng.normal(size=len(centers)) + 0.5 * _smooth_noise(rng, grid)
    return Candidates(centers + residual, score)


@attrs.frozen(eq=False)
class Instance:
    """A problem and the pose it was made from, (16, 3) m."""

    problem: Problem
    pose: np.ndarray


def instance(
    edges: tuple[tuple[int, int], ...], kind: str, grid: int, seed: int, *, anchors: bool = False
) -> Instance:
    """Make a problem over the 16 joints with ``grid**3`` candidates each.

    Parameters
    ----------
    edges : tuple of (int, int)
        `star_edges`, `tree_edges` or `two_hop_edges`.
    kind : str
        One of `CLASSES`.
    grid : int
        Candidates along each axis.
    seed : int
        The pose and everything else; the same for every grid and every set of edges where possible.
    anchors : bool
        Whether every candidate of an edge's first part expects the second at an offset of its own: the edge's, and
        noise of a quarter of its deviation.
    """
    rng = np.random.default_rng([seed, CLASSES.index(kind)])
    pose, voxel = _pose(rng), 2 * HALF / grid
    strength = {"strong": 4.0, "two": 2.0}.get(kind, 1.0)
    other = _pose(rng) if kind == "two" else pose[MIRRORED]
    axis = (np.arange(grid) + 0.5) * voxel - HALF
    centers = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    candidates = [_candidates(modes, centers, voxel, rng) for modes in _modes(pose, other, kind, voxel, rng)]
    pairwise, fields, hops = [], [], _hops()
    for i, j in edges:
        own = np.random.default_rng([seed, CLASSES.index(kind), i, j])
        hop = min(hops[i, j], 4) - 1
        sigma = np.array([0.055 + 0.025 * hop, 0.055 + 0.025 * hop, 0.075 + 0.035 * hop])
        source = other if kind in ("conf", "two") and own.random() < 0.15 else pose
        offset = source[j] - source[i] + 0.75 * sigma * own.normal(size=3)
        weight, positions = 0.5 * strength / sigma**2, candidates[i].positions
        noise = 0.25 * sigma * own.normal(size=positions.shape) if anchors else None
        fields.append(None if noise is None else positions + offset + noise)
        pairwise.append(Quadratic(weight, np.zeros(3) if anchors else offset))
    problem = Problem(Topology(PARTS, edges), tuple(candidates), tuple(pairwise), anchors=tuple(fields))
    return Instance(problem, pose)
