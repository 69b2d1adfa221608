"""Skeletons and forward kinematics: G_b = G_parent(b) L_b and x_b = x_parent(b) + G_parent(b) offset_b."""

from pathlib import Path
from typing import Self, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.motion import rig


@final
@attrs.frozen(eq=False)
class Skeleton:
    """Joints, how they hang together, and where they are while nothing is turned.

    Parameters
    ----------
    names
        B names, no two alike.
    parents
        B indices; the root comes first with -1, and every parent before its children.
    offsets
        (B, 3) float64, any unit of length; from the parent to the joint while nothing is turned.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: NDArray[np.float64]

    @classmethod
    def of_rig(cls) -> Self:
        """Return the rig that clips drive, a stick figure in metres."""
        return cls(rig.JOINTS, rig.PARENTS, rig.OFFSETS)

    def rest(self) -> NDArray[np.float64]:
        """Return where the joints (B, 3) are while nothing is turned and the root is at 0."""
        unturned = np.tile(np.eye(3), (1, len(self.names), 1, 1))
        return self.forward(unturned, np.zeros((1, 3)))[1][0]

    def path(self, joint: int) -> list[int]:
        """Return the joints from the root down to `joint`, both included."""
        path = [joint]
        while self.parents[path[-1]] >= 0:
            path.append(self.parents[path[-1]])
        return path[::-1]

    def forward(
        self, rotations: NDArray[np.float64], position: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find where the joints are and how they are turned.

        Parameters
        ----------
        rotations
            (F, B, 3, 3) float64; how each joint is turned relative to its parent.
        position
            (F, 3) float64, the unit of the offsets; where the root is.

        Returns
        -------
        turns
            (F, B, 3, 3) float64; how each joint is turned in the world.
        positions
            (F, B, 3) float64, the unit of the offsets.
        """
        turns = rotations.copy()
        positions = np.repeat(position[:, None], len(self.names), axis=1)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                turns[:, joint] = turns[:, parent] @ turns[:, joint]
                positions[:, joint] = positions[:, parent] + turns[:, parent] @ self.offsets[joint]
        return turns, positions


@final
@attrs.frozen(eq=False)
class Take:
    """A recording as its file has it: the actor's own skeleton and how it moves.

    Parameters
    ----------
    path
        The file.
    rate
        Frames a second.
    skeleton
        B joints.
    rotations
        (F, B, 3, 3) float64; how each joint is turned relative to its parent.
    position
        (F, 3) float64, the unit of the skeleton's offsets; where the root is.
    """

    path: Path
    rate: float
    skeleton: Skeleton
    rotations: NDArray[np.float64]
    position: NDArray[np.float64]
