"""Random poses: postures of the programs, varied, within the limits of every joint."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph_dogpose.figure.anatomy import Angles
from partgraph_dogpose.figure.body import DogModel, rotations
from partgraph_dogpose.figure.programs import PROGRAMS, Posture

# What may be taken from another posture together: every leg, the neck with the head, the tail.
_GROUPS = (
    ("scapula_L", "upper_arm_L", "lower_arm_L", "hand_L", "finger_L"),
    ("scapula_R", "upper_arm_R", "lower_arm_R", "hand_R", "finger_R"),
    ("upper_leg_L", "lower_leg_L", "foot_L", "toe_L"),
    ("upper_leg_R", "lower_leg_R", "foot_R", "toe_R"),
    ("C_", "skull", "jaw"),
    ("Ca_",),
)


@attrs.frozen
class PoseMixing:
    """How far random poses depart from the programs; all zero gives their own postures.

    Attributes
    ----------
    limbs : probability that a pose takes limbs from other postures at all
    limb : probability that it takes a particular one
    tumble : probability that the whole body is turned at random
    noise : standard deviation of a disturbance of every hinge, as a share of its range
    """

    limbs: float = 0.0
    limb: float = 0.4
    tumble: float = 0.0
    noise: float = 0.02


@attrs.frozen
class PoseSampler:
    """Draws poses from programs.

    Attributes
    ----------
    programs : their names
    """

    programs: Sequence[str]
    mixing: PoseMixing = attrs.Factory(PoseMixing)

    def draw(
        self, dog: DogModel, random: np.random.Generator, program: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
        """Angles (H,) in radians within the limits, the body's rotation (3, 3), and the index of the program."""
        if program is None:
            program = int(random.integers(len(self.programs)))
        posture, mixing = self._posture(random, program), self.mixing
        angles = dict(posture.angles)
        if random.random() < mixing.limbs:
            for group in _GROUPS:
                if random.random() < mixing.limb:
                    other = self._posture(random, int(random.integers(len(self.programs))))
                    angles = _exchanged(angles, other.angles, group)
        low, high = dog.limits.T
        disturbed = dog.angles(angles) + random.normal(0, mixing.noise, len(low)) * (high - low)
        root = _turn(posture) if random.random() >= mixing.tumble else _anyhow(random)
        return dog.within_limits(disturbed), root, program

    def _posture(self, random: np.random.Generator, program: int) -> Posture:
        return PROGRAMS[self.programs[program]](random.random(), random)


def _exchanged(angles: Angles, others: Angles, group: tuple[str, ...]) -> Angles:
    """The angles, those of the bones of `group` from `others`."""
    kept = {hinge: angle for hinge, angle in angles.items() if not hinge.startswith(group)}
    return kept | {hinge: angle for hinge, angle in others.items() if hinge.startswith(group)}


def _turn(posture: Posture) -> NDArray[np.float64]:
    """Rotation (3, 3) of a posture's pitch and roll; x is forward, y to the left, z up."""
    pitch, roll = rotations(np.array([[0, -1, 0], [1, 0, 0]]), np.radians([posture.pitch, posture.roll]))
    return pitch @ roll


def _anyhow(random: np.random.Generator) -> NDArray[np.float64]:
    """A rotation (3, 3) drawn evenly from all (a random unit quaternion as axis and angle)."""
    quaternion = random.normal(size=4)
    quaternion /= np.linalg.norm(quaternion)
    length = np.linalg.norm(quaternion[1:])
    return rotations(quaternion[None, 1:] / length, np.array([2 * np.arctan2(length, quaternion[0])]))[0]
