"""Random poses: frames of motion capture, whose limbs may be exchanged between frames.

A dozen clips hold few different poses, and poses, not images, are what limits a small network. Limbs move nearly
independently of one another, so taking each from another frame multiplies what the clips contain.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from partgraph_humanpose.motion.clip import MotionClip

# Motion joints that are exchanged together: arms, legs, and the spine with the head.
_GROUPS = ((16, 18, 20), (17, 19, 21), (1, 4, 7, 10), (2, 5, 8, 11), (3, 6, 9, 12, 15))


@attrs.frozen
class PoseMixing:
    """How far random poses depart from the recorded frames; all zero gives the frames as they are.

    Attributes
    ----------
    limbs : probability that a pose exchanges limbs at all
    limb : probability that it exchanges a particular limb
    root : probability that the whole body is turned as in another frame
    tumble : probability that the whole body is turned at random
    noise : standard deviation of a disturbance of every moving joint, radians
    """

    limbs: float = 0.0
    limb: float = 0.4
    root: float = 0.0
    tumble: float = 0.0
    noise: float = 0.0


@attrs.frozen(eq=False)
class PoseSampler:
    """Draws poses from clips.

    Attributes
    ----------
    clips : the recorded motion
    weights : relative probability of each clip, the number of its kept frames by default
    """

    clips: Sequence[MotionClip]
    mixing: PoseMixing = attrs.Factory(PoseMixing)
    weights: Sequence[float] | None = None

    def draw(self, random: np.random.Generator, clip: int | None = None) -> tuple[NDArray[np.float32], int]:
        """Rotations (22, 3) float32 in radians of a pose, and the index of the clip its torso is from."""
        if clip is None:
            clip = self._clip(random)
        pose = self._frame(random, clip)
        mixing = self.mixing
        if random.random() < mixing.limbs:
            for group in _GROUPS:
                if random.random() < mixing.limb:
                    joints = list(group)
                    pose[joints] = self._frame(random, self._clip(random))[joints]
        if mixing.noise:
            moving = np.abs(pose[1:]).sum(1, keepdims=True) > 0
            pose[1:] += random.normal(0, mixing.noise, (21, 3)) * moving
        turn = random.random()
        if turn < mixing.tumble:
            pose[0] = Rotation.random(random_state=random).as_rotvec()
        elif turn < mixing.tumble + mixing.root:
            pose[0] = self._frame(random, self._clip(random))[0]
        return pose, clip

    def _clip(self, random: np.random.Generator) -> int:
        weights = self.weights if self.weights is not None else [len(clip.rotations) for clip in self.clips]
        share = np.asarray(weights, np.float64)
        return int(random.choice(len(share), p=share / share.sum()))

    def _frame(self, random: np.random.Generator, clip: int) -> NDArray[np.float32]:
        frames = self.clips[clip].rotations
        return np.array(frames[random.integers(len(frames))], np.float32)
