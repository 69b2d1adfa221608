"""A motion clip of the rig, and the fifteen clips that ship with the plugin."""

from importlib import resources
from typing import Final, Self, final

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from partgraph_humanpose.motion.rig import JOINTS
from partgraph_humanpose.motion.skeleton import Skeleton
from partgraph_humanpose.motion.text import MotionError

# Frames a second of the shipped clips: DeepMimic's files give the seconds of a frame, such as .0167.
_SHIPPED_RATES: Final = {"backflip": 16, "kick": 30, "punch": 30, "run": 30, "spin": 24, "walk": 30}
_SHIPPED_RATE: Final = 60  # of all the others


def _read_only(array: object) -> NDArray[np.float32]:
    copy = np.array(array, dtype=np.float32)
    copy.flags.writeable = False
    return copy


@final
@attrs.frozen(eq=False, repr=False)
class MotionClip:
    """A person in motion: how each joint of the rig is turned and where the root is, frame by frame.

    Parameters
    ----------
    name
        What the clip is called.
    rate
        Frames a second, positive.
    rotations
        (F, 22, 3) float32, radians; axis times angle of each joint of `rig.JOINTS` relative to its parent,
        and of the root relative to a world with y up. Copied.
    position
        (F, 3) float32, metres; where the root is in that world. Copied.
    """

    name: str
    rate: float = attrs.field(converter=float)
    rotations: NDArray[np.float32] = attrs.field(converter=_read_only)
    position: NDArray[np.float32] = attrs.field(converter=_read_only)

    def __attrs_post_init__(self) -> None:
        frames = self.rotations.shape[0] if self.rotations.ndim else 0
        expected = (frames, len(JOINTS), 3), (frames, 3)
        if (self.rotations.shape, self.position.shape) != expected or not frames:
            raise MotionError(
                f"clip {self.name!r}",
                f"rotations must be (F, {len(JOINTS)}, 3) and position (F, 3) with F > 0",
                f"{self.rotations.shape} and {self.position.shape}",
                "reshape them",
            )
        for field, array in (("rotations", self.rotations), ("position", self.position)):
            bad = np.flatnonzero(~np.isfinite(array.reshape(frames, -1)).all(axis=1))
            if len(bad):
                raise MotionError(
                    f"clip {self.name!r}",
                    f"{field} must be finite",
                    f"{len(bad)} frames that are not, the first is frame {bad[0]}",
                    "leave them out",
                )
        if not 0 < self.rate < np.inf:
            raise MotionError(
                f"clip {self.name!r}", "rate must be positive", f"{self.rate:g}", "give frames a second"
            )

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.rotations)

    def __getitem__(self, frames: slice) -> Self:
        """Return some of the frames in order: clip[10:50], or clip[::4] at a quarter of the rate."""
        step = (frames.step or 1) if isinstance(frames, slice) else 0
        if step < 1:
            raise MotionError(
                f"clip {self.name!r}", "frames are picked by a slice in order", str(frames), "use a step > 0"
            )
        return type(self)(self.name, self.rate / step, self.rotations[frames], self.position[frames])

    def __repr__(self) -> str:
        return f"MotionClip({self.name!r}, {len(self)} frames at {self.rate:g} Hz)"

    def joints(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find how the joints are turned in the world, and where a stick figure of 1.7 m has them.

        Returns
        -------
        turns
            (F, 22, 3, 3) float64.
        positions
            (F, 22, 3) float64, metres.
        """
        local = Rotation.from_rotvec(self.rotations.reshape(-1, 3)).as_matrix()
        local = local.reshape(len(self), len(JOINTS), 3, 3)
        return Skeleton.of_rig().forward(local, self.position.astype(np.float64))


def embedded_clips() -> tuple[MotionClip, ...]:
    """Return the fifteen clips that ship with the plugin, 1,620 frames, in the order of their names."""
    archive = resources.files("partgraph_humanpose").joinpath("assets/motion_baked.npz")
    with archive.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        names, counts, rows = arrays["names"].tolist(), arrays["n"], arrays["x"]  # rows (sum F, 69)
    # A row is: the root's axis-angle 3, its position 3, the axis-angles of the 21 other joints 63.
    rotations = np.concatenate([rows[:, :3], rows[:, 6:]], axis=1).reshape(-1, len(JOINTS), 3)
    ends = np.cumsum(counts)
    return tuple(
        MotionClip(name, _SHIPPED_RATES.get(name, _SHIPPED_RATE), rotations[start:end], rows[start:end, 3:6])
        for name, start, end in zip(names, ends - counts, ends, strict=True)
    )
