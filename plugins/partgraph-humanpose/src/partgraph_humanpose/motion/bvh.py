"""BVH motion capture: HIERARCHY, a tree of joints with channels, and MOTION, a row of channels a frame.

A joint turns by L_b = R_1 R_2 R_3, with R_k the turn about the axis of its k-th rotation channel, in degrees.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, final

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from partgraph_humanpose.motion.clip import MotionClip
from partgraph_humanpose.motion.retarget import retarget
from partgraph_humanpose.motion.skeleton import Skeleton, Take
from partgraph_humanpose.motion.text import Line, read_lines, table

_POSITIONS: Final = ("xposition", "yposition", "zposition")
_ROTATIONS: Final = ("xrotation", "yrotation", "zrotation")


@final
@attrs.define
class _Joint:
    """A joint, filled in while its braces are read; an end site is a joint without channels."""

    name: str
    parent: int
    offset: NDArray[np.float64] = attrs.field(factory=lambda: np.full(3, np.nan))
    channels: tuple[str, ...] = ()


def read_bvh(
    path: str | Path,
    *,
    names: Mapping[str, str] | None = None,
    rest: int | None = None,
    up: str | None = None,
    scale: float | None = None,
) -> MotionClip:
    """Read the motion of a BVH file and carry it over to the rig.

    Parameters
    ----------
    path
        The BVH file.
    names, rest, up, scale
        As in `retarget`; a BVH file does not say what its unit of length is.

    Returns
    -------
    MotionClip
        Named as the file.
    """
    return retarget(read_bvh_take(path), names=names, rest=rest, up=up, scale=scale)


def read_bvh_take(path: str | Path) -> Take:
    """Read the motion of a BVH file as the actor's own skeleton does it.

    Bones keep their length: position channels count for the root alone, where they stand in for its offset.
    """
    path = Path(path)
    joints, lines = _parse(read_lines(path))
    rate, values = _motion(lines, sum(len(joint.channels) for joint in joints))

    offsets = np.stack([joint.offset for joint in joints])
    position = np.repeat(offsets[:1], len(values), axis=0)
    rotations = np.tile(np.eye(3), (len(values), len(joints), 1, 1))
    ends = np.cumsum([len(joint.channels) for joint in joints])
    for index, (joint, columns) in enumerate(zip(joints, np.split(values, ends[:-1], axis=1), strict=True)):
        turning = [k for k, channel in enumerate(joint.channels) if channel in _ROTATIONS]
        if turning:
            axes = "".join(joint.channels[k][0] for k in turning).upper()  # upper case: about the turned axes
            rotations[:, index] = Rotation.from_euler(axes, columns[:, turning], degrees=True).as_matrix()
        for k, channel in enumerate(joint.channels):
            if index == 0 and channel in _POSITIONS:
                position[:, _POSITIONS.index(channel)] = columns[:, k]
    names = tuple(joint.name for joint in joints)
    parents = tuple(joint.parent for joint in joints)
    return Take(path, rate, Skeleton(names, parents, offsets), rotations, position)


def _parse(lines: Sequence[Line]) -> tuple[list[_Joint], list[Line]]:
    """Return the joints, in the order of their channels, and the lines behind MOTION, two at least."""
    statements = _statements(lines)
    joints: list[_Joint] = []
    for asked in ("HIERARCHY", "ROOT", "MOTION"):
        line = next(statements, None)
        if line is None:
            lines[-1].fail(
                "a BVH file has HIERARCHY, one ROOT and MOTION", f"no {asked}", "is the file complete?"
            )
        if line.words[0].upper() != asked:
            found = line.words[0]
            line.fail(
                "a BVH file has HIERARCHY, one ROOT and MOTION", f"{found!r} for {asked}", "repair the file"
            )
        if asked == "ROOT":
            _parse_joint(statements, line, -1, joints)
    behind = list(statements)
    if len(behind) < 2:
        lines[-1].fail(
            "MOTION goes on with Frames: and Frame Time:", "the end of the file", "is the file complete?"
        )
    return joints, behind


def _statements(lines: Sequence[Line]) -> Iterator[Line]:
    """Break lines such as "JOINT Spine {" at their braces."""
    for line in lines:
        rest = line.words
        while rest:
            cut = next((k for k, word in enumerate(rest) if word in ("{", "}")), len(rest)) or 1
            yield line if cut == len(line.words) else line._replace(words=rest[:cut])
            rest = rest[cut:]


def _parse_joint(statements: Iterator[Line], head: Line, parent: int, joints: list[_Joint]) -> None:
    """Append the joint that `head` starts, and all below it."""
    end_site = head.words[0].upper() == "END"
    name = f"{joints[parent].name} end" if end_site else " ".join(head.words[1:])
    if not name or name in (joint.name for joint in joints):
        head.fail("every joint has a name of its own", f"{name or 'none'!r}", "rename it")
    index, joint = len(joints), _Joint(name, parent)
    joints.append(joint)
    opening = next(statements, head)
    if opening.words != ("{",):
        opening.fail(f"joint {name!r} opens with a brace", repr(" ".join(opening.words)), "repair the file")
    for line in statements:
        match line.words[0].upper():
            case "OFFSET":
                joint.offset = line.numbers(3)
            case "CHANNELS":
                joint.channels = _channels(line)
            case "JOINT" | "END":
                _parse_joint(statements, line, index, joints)
            case "}":
                if np.isnan(joint.offset).any():
                    line.fail(f"joint {name!r} must have an OFFSET", "none up to here", "add it")
                return
            case word:
                line.fail(
                    f"joint {name!r} has OFFSET, CHANNELS and JOINTs",
                    word,
                    "close it with a brace first",
                )
    head.fail(f"joint {name!r} closes with a brace", "the end of the file", "is the file complete?")


def _channels(line: Line) -> tuple[str, ...]:
    """Return the channels of a joint in lower case."""
    channels = tuple(word.lower() for word in line.words[2:])
    known = set(channels) <= {*_POSITIONS, *_ROTATIONS} and len(set(channels)) == len(channels)
    if not known or line.words[1:2] != (str(len(channels)),):
        found = " ".join(line.words[1:])
        line.fail(
            "CHANNELS must be a count and as many of Xposition to Zrotation", repr(found), "repair the line"
        )
    return channels


def _motion(lines: Sequence[Line], width: int) -> tuple[float, NDArray[np.float64]]:
    """Return the frames a second and the channels (F, width) of the lines behind MOTION."""
    frames, time = _value(lines, 0, "Frames:"), _value(lines, 1, "Frame Time:")
    rows = lines[2:]
    if time <= 0:
        lines[1].fail("Frame Time: must be positive seconds", f"{time:g}", "repair the line")
    if frames != len(rows) or not rows:
        lines[0].fail(
            "Frames: must be the number of rows", f"{frames:g} and {len(rows)} rows", "is the file complete?"
        )
    return 1 / time, table(rows, 0, width, "the channels of a frame")


def _value(lines: Sequence[Line], row: int, label: str) -> float:
    """Return the number behind the label that the line starts with."""
    words = label.split()
    if [word.lower() for word in lines[row].words[: len(words)]] != [word.lower() for word in words]:
        lines[row].fail(f"MOTION goes on with {label}", repr(lines[row].words[0]), "repair the file")
    return float(table([lines[row]], len(words), 1, label)[0, 0])
