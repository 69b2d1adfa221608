"""Programs of motion: within the limits of every joint, with the footfalls of their gaits, and split for good."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partgraph_dogpose.figure.body import load_dog
from partgraph_dogpose.figure.poses import PoseMixing, PoseSampler
from partgraph_dogpose.figure.programs import (
    PROGRAMS,
    TEST_PROGRAMS,
    TRAIN_PROGRAMS,
    VALIDATION_PROGRAMS,
)
from partgraph_dogpose.skeleton import PARTS

WILD = PoseMixing(limbs=1.0, limb=0.5, tumble=0.3, noise=0.5)


@given(seed=st.integers(0, 2**32 - 1), mixing=st.sampled_from([PoseMixing(), WILD]))
def test_no_joint_limit_is_violated(seed, mixing):
    dog, random = load_dog(), np.random.default_rng(seed)
    angles, root, program = PoseSampler(tuple(PROGRAMS), mixing).draw(dog, random)
    assert (angles >= dog.limits[:, 0]).all()
    assert (angles <= dog.limits[:, 1]).all()
    np.testing.assert_allclose(root @ root.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(root) == pytest.approx(1)
    assert 0 <= program < len(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_stays_near_what_joints_allow(dog, name):
    """Limits are there to be kept, not to be relied on: a program asks for little that is then cut off."""
    excess = []
    for seed in range(20):
        asked = dog.angles(PROGRAMS[name](seed / 20, np.random.default_rng(seed)).angles)
        excess.append(np.abs(asked - dog.within_limits(asked)))
    assert np.degrees(np.mean(excess)) < 1.5


def test_every_program_is_in_one_split():
    every = (*TRAIN_PROGRAMS, *VALIDATION_PROGRAMS, *TEST_PROGRAMS)
    assert sorted(every) == sorted(PROGRAMS)
    assert len(set(every)) == len(every)
    assert min(map(len, (TRAIN_PROGRAMS, VALIDATION_PROGRAMS, TEST_PROGRAMS))) >= 4


def paws(dog, program, phase):
    """How far each paw is before the body's rest, m: left and right hind, left and right fore."""
    angles = dog.within_limits(dog.angles(PROGRAMS[program](phase, np.random.default_rng(0)).angles))
    joints = dog.pose(angles, np.eye(3)).joints
    names = ("left-hind-paw", "right-hind-paw", "left-fore-paw", "right-fore-paw")
    return np.array([joints[PARTS.index(name), 0] for name in names])


@pytest.mark.parametrize(
    ("gait", "together", "opposed"),
    [
        ("trot", [(0, 3), (1, 2)], [(0, 1), (2, 3)]),
        ("pace", [(0, 2), (1, 3)], [(0, 1)]),
        ("walk", [], [(0, 1), (2, 3)]),
    ],
)
def test_legs_swing_as_the_gait_says(dog, gait, together, opposed):
    """In a trot diagonal legs go together, in a pace those of a side; left and right never do."""
    swing = np.array([paws(dog, gait, phase) for phase in np.arange(16) / 16])
    swing -= swing.mean(0)
    correlation = np.corrcoef(swing.T)
    assert all(correlation[pair] > 0.8 for pair in together)
    assert all(correlation[pair] < -0.5 for pair in opposed)


def test_a_gait_repeats(dog):
    for gait in ("walk", "trot", "gallop"):
        np.testing.assert_allclose(paws(dog, gait, 0.0), paws(dog, gait, 1.0), atol=1e-6)
        assert np.abs(paws(dog, gait, 0.0) - paws(dog, gait, 0.5)).max() > 0.05


def test_a_dog_sits_on_its_haunches_and_bows_with_its_chest_low(dog):
    def heights(name):
        angles, root, _ = PoseSampler((name,), PoseMixing(noise=0)).draw(dog, np.random.default_rng(0))
        return dict(zip(PARTS, dog.pose(angles, root).joints[:, 2], strict=True))

    sitting, bowing, standing = heights("sit"), heights("play-bow"), heights("stand")
    assert sitting["neck-base"] > sitting["pelvis"] + 0.2
    assert bowing["pelvis"] > bowing["neck-base"] + 0.1
    assert abs(standing["neck-base"] - standing["pelvis"]) < 0.15


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_generator_decides_everything(seed):
    sampler, dog = PoseSampler(TRAIN_PROGRAMS, WILD), load_dog()
    one, same = (sampler.draw(dog, np.random.default_rng(seed)) for _ in range(2))
    for mine, other in zip(one, same, strict=True):
        np.testing.assert_array_equal(mine, other)
