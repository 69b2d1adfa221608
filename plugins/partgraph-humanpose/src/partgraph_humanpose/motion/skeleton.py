"""A skeleton and its forward kinematics: G_b = G_parent(b) L_b and x_b = x_parent(b) + G_parent(b) offset_b."""

from typing import Self, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.motion import rig
from partgraph_humanpose.motion.text import MotionError


@final
@attrs.frozen(eq=False)
class Skeleton:
    """Joints, how they hang together, and where they are while nothing is turned.

    Parameters
    ----------
    names
        B names, no two alike.
    parents
        B indices; the parent of every joint comes before it, -1 for the one root, which comes first.
    offsets
        (B, 3) float64, any unit of length; from the parent to the joint in the rest pose.
    """

    names: tuple[str, ...] = attrs.field(converter=tuple)
    parents: tuple[int, ...] = attrs.field(converter=tuple)
    offsets: NDArray[np.float64] = attrs.field(converter=lambda x: np.array(x, dtype=np.float64))

    @classmethod
    def of_rig(cls) -> Self:
        """The rig that clips drive, as a stick figure in metres."""
        return cls(rig.JOINTS, rig.PARENTS, rig.OFFSETS)

    def index(self, name: str) -> int:
        """The index of the joint of that name."""
        if name not in self.names:
            raise MotionError(f"no joint named {name!r}; the skeleton has {', '.join(sorted(self.names))}")
        return self.names.index(name)

    def path(self, joint: int) -> list[int]:
        """The joints from the root down to and including `joint`."""
        path = [joint]
        while self.parents[path[-1]] >= 0:
            path.append(self.parents[path[-1]])
        return path[::-1]

    def forward(
        self, rotations: NDArray[np.float64], position: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where every joint is and how it is turned.

        Parameters
        ----------
        rotations
            (F, B, 3, 3) float64; the turn of each joint relative to its parent.
        position
            (F, 3) float64, the unit of the offsets; where the root is.

        Returns
        -------
        turns, positions
            (F, B, 3, 3) float64 global turns; (F, B, 3) float64, the unit of the offsets.
        """
        turns = np.array(rotations, dtype=np.float64)
        positions = np.repeat(np.asarray(position, dtype=np.float64)[:, None], len(self.names), axis=1)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                turns[:, joint] = turns[:, parent] @ turns[:, joint]
                positions[:, joint] = positions[:, parent] + turns[:, parent] @ self.offsets[joint]
        return turns, positions


@final
@attrs.frozen(eq=False)
class Take:
    """A recording as its file has it: the actor's own skeleton, and its turns over time.

    Parameters
    ----------
    name
        What to call it.
    rate
        Frames a second.
    skeleton
        B joints.
    rotations
        (F, B, 3, 3) float64; the turn of each joint relative to its parent.
    position
        (F, 3) float64, the unit of the skeleton's offsets; where the root is.
    """

    name: str
    rate: float
    skeleton: Skeleton
    rotations: NDArray[np.float64]
    position: NDArray[np.float64]
