"""A mannequin: closed ellipsoids with joints inside, its limbs anywhere."""

from functools import cache

import numpy as np
import pytest

from partgraph.rendering import PosedMesh

RINGS, SIDES = 14, 18
# Half axes and centre of torso, head, arms and legs, m.
BLOBS = [
    ((0.20, 0.13, 0.30), (0.0, 0.0, 1.15)),
    ((0.09, 0.11, 0.13), (0.0, 0.0, 1.60)),
    ((0.30, 0.06, 0.06), (0.45, 0.0, 1.35)),
    ((0.30, 0.06, 0.06), (-0.45, 0.0, 1.35)),
    ((0.09, 0.09, 0.42), (0.12, 0.0, 0.45)),
    ((0.09, 0.09, 0.42), (-0.12, 0.0, 0.45)),
]
LIMBS = range(2, 6)


@cache
def sphere():
    """Vertices (V, 3) of the unit sphere and its faces (F, 3), counter-clockwise from outside."""
    polar = np.linspace(0, np.pi, RINGS)[:, None]
    around = np.arange(SIDES) / SIDES * 2 * np.pi
    ring = np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar) + 0 * around
    a = np.arange((RINGS - 1) * SIDES)
    right = a - a % SIDES + (a + 1) % SIDES
    below, below_right = a + SIDES, right + SIDES
    faces = np.concatenate([np.stack([a, below, right], 1), np.stack([right, below, below_right], 1)])
    return np.stack(ring, -1).reshape(-1, 3), faces


@pytest.fixture(scope="session")
def mannequin():
    """Return the mannequin of a seed: 16 joints, three in every limb and two in torso and head."""

    @cache
    def make(seed):
        random = np.random.default_rng(seed)
        unit, faces = sphere()
        vertices, joints = [], []
        for number, (axes, center) in enumerate(BLOBS):
            turn = np.eye(3)
            if number in LIMBS:
                turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
                turn *= np.linalg.det(turn)
            vertices.append((unit * axes) @ turn.T + center)
            along = np.eye(3)[np.argmax(axes)] * axes
            for place in (-0.8, 0.0, 0.8) if number in LIMBS else (-0.5, 0.5):
                joints.append(turn @ (along * place) + center)
        corners = np.concatenate([faces + k * len(unit) for k in range(len(BLOBS))])
        return PosedMesh(np.concatenate(vertices), corners, np.array(joints), depth_inside=0.12)

    return make
