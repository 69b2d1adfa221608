"""A motion clip of the rig, and the fifteen clips that ship with the plugin."""

from importlib import resources
from typing import Final, Self, final

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from partgraph_humanpose.motion.text import MotionError
from partgraph_humanpose.motion.rig import JOINTS
from partgraph_humanpose.motion.skeleton import Skeleton

# Frames a second of the embedded clips. They are of DeepMimic, whose files give the seconds of a frame, as .0167.
_EMBEDDED_RATES: Final = {"backflip": 16, "kick": 30, "punch": 30, "run": 30, "walk": 30, "spin": 24}
_EMBEDDED_RATE: Final = 60  # all the others


def _frozen(array: object) -> NDArray[np.float32]:
    """A float32 copy that nobody can write to."""
    copy = np.array(array, dtype=np.float32)
    copy.flags.writeable = False
    return copy


@final
@attrs.frozen(eq=False, repr=False)
class MotionClip:
    """A person's motion: how each joint of the rig is turned, and where the root is, frame by frame.

    Parameters
    ----------
    name
        What the clip is called.
    rate
        Frames a second, positive.
    rotations
        (F, 22, 3) float32, radians; axis times angle of every joint of `rig.JOINTS` relative to its parent, the
        root relative to a world with y up. Copied.
    position
        (F, 3) float32, metres; where the root is in that world. Copied.
    """

    name: str
    rate: float = attrs.field(converter=float)
    rotations: NDArray[np.float32] = attrs.field(converter=_frozen)
    position: NDArray[np.float32] = attrs.field(converter=_frozen)

    def __attrs_post_init__(self) -> None:
        frames = len(self.rotations) if self.rotations.ndim else 0
        for field, shape in (("rotations", (frames, len(JOINTS), 3)), ("position", (frames, 3))):
            array = getattr(self, field)
            if array.shape != shape or not frames:
                found = f"found {self.rotations.shape} and {self.position.shape}"
                raise MotionError(
                    f"clip {self.name!r}: rotations must be (F, {len(JOINTS)}, 3) and position (F, 3), F > 0; {found}"
                )
            bad = np.flatnonzero(~np.isfinite(array.reshape(frames, -1)).all(axis=1))
            if len(bad):
                raise MotionError(
                    f"clip {self.name!r}: {field} must be finite; {len(bad)} of {frames} frames are not, the first is "
                    f"frame {bad[0]}; leave those frames out"
                )
        if not 0 < self.rate < np.inf:
            raise MotionError(f"clip {self.name!r}: rate must be positive frames a second; found {self.rate}")

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.rotations)

    def __getitem__(self, frames: slice) -> Self:
        """Some of the frames, in order: clip[10:50], or clip[::4] at a quarter of the rate."""
        step = 1 if frames.step is None else frames.step
        if step < 1:
            raise MotionError(f"clip {self.name!r}: frames are taken in order; found a step of {step}; use 1 or more")
        return type(self)(self.name, self.rate / step, self.rotations[frames], self.position[frames])

    def __repr__(self) -> str:
        return f"MotionClip({self.name!r}, {len(self)} frames at {self.rate:g} Hz)"

    def joints(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How the rig's joints are turned in the world, and where a stick figure of 1.7 m has them.

        Returns
        -------
        turns, positions
            (F, 22, 3, 3) float64; (F, 22, 3) float64, metres.
        """
        local = Rotation.from_rotvec(self.rotations.reshape(-1, 3)).as_matrix()
        return Skeleton.of_rig().forward(local.reshape(len(self), len(JOINTS), 3, 3), self.position)


def embedded_clips() -> tuple[MotionClip, ...]:
    """The fifteen clips that ship with the plugin: 1,620 frames, in the order of their names."""
    with resources.files("partgraph_humanpose").joinpath("assets/motion_baked.npz").open("rb") as file:
        with np.load(file, allow_pickle=False) as baked:
            names, counts, frames = baked["names"].tolist(), baked["n"], baked["x"]  # frames (sum F, 69)
    # A row is: root axis-angle 3, root position 3, 21 body joints' axis-angle 63.
    rotations = np.concatenate([frames[:, :3], frames[:, 6:]], axis=1).reshape(-1, len(JOINTS), 3)
    ends = np.cumsum(counts)
    return tuple(
        MotionClip(name, _EMBEDDED_RATES.get(name, _EMBEDDED_RATE), rotations[a:b], frames[a:b, 3:6])
        for name, a, b in zip(names, ends - counts, ends, strict=True)
    )
