"""Acclaim motion capture as the CMU database has it: the skeleton in an ASF file, the motion in an AMC file.

A bone b turns at its near end by L_b = C_b M_b C_b^T, with C_b its `axis` and M_b the frame's angles in the order of its
`dof`, the first applied first. Here a bone is the joint at its near end, so that forward kinematics is that of any
other skeleton.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, final

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from partgraph_humanpose.motion.clip import MotionClip
from partgraph_humanpose.motion.retarget import retarget
from partgraph_humanpose.motion.skeleton import Skeleton, Take
from partgraph_humanpose.motion.text import Line, MotionError, read_lines, table

_INCH: Final = 0.0254  # metres; `length` in the ASF file says how many of its units are an inch
_RATE: Final = 120.0  # frames a second of the CMU database; an AMC file does not say
# A CMU wrist is a piece of the forearm that twists; what turns at the wrist is the hand.
_NAMES: Final = {"L_Wrist": "lhand", "R_Wrist": "rhand"}

_NEEDED: Final = (":units", ":root", ":bonedata", ":hierarchy")
_SECTIONS: Final = (":version", ":name", ":documentation", ":skin", *_NEEDED)
_BONE_KEYS: Final = ("id", "name", "direction", "length", "axis", "dof", "limits", "bodymass", "cofmass")
_TURNS: Final = ("rx", "ry", "rz")
_SHIFTS: Final = ("tx", "ty", "tz")


@final
@attrs.frozen(eq=False)
class Bone:
    """A bone of an ASF file.

    Parameters
    ----------
    name
        Its name; "root" is a bone without length.
    stem
        (3,) float64, file units; from its near to its far end at rest.
    axis
        (3, 3) float64; the frame that its angles are about.
    dof
        Its channels in the order of the AMC file: "rx" to "rz", for the root "tx" to "tz" too.
    """

    name: str
    stem: NDArray[np.float64]
    axis: NDArray[np.float64]
    dof: tuple[str, ...]


@final
@attrs.frozen(eq=False)
class Actor:
    """What an ASF file says.

    Parameters
    ----------
    skeleton
        B joints at the near ends of the bones, the root first, metres.
    bones
        The B bones in the order of the joints.
    degrees
        Whether angles are in degrees, not in radians.
    unit
        Metres per unit of length of the ASF and AMC files.
    """

    skeleton: Skeleton
    bones: tuple[Bone, ...]
    degrees: bool
    unit: float


def read_asf(path: str | Path) -> Actor:
    """The actor of an ASF file."""
    sections = _sections(Path(path))
    units = {line.words[0].lower(): line for line in sections[":units"]}
    degrees = True
    if "angle" in units:
        line = units["angle"]
        if line.words[1:] not in (("deg",), ("rad",)):
            line.fail(f"angle must be deg or rad; found {' '.join(line.words[1:])!r}; repair the line")
        degrees = line.words[1] == "deg"
    unit = _INCH / units["length"].positive("length") if "length" in units else _INCH

    bones = _bones(sections[":bonedata"], degrees)
    bones["root"] = _root(sections[":root"], degrees)
    parents = _parents(sections[":hierarchy"], bones)
    names = list(parents)
    skeleton = Skeleton(
        names=names,
        parents=[names.index(parent) if parent else -1 for parent in parents.values()],
        # A joint is at the far end of its parent's bone.
        offsets=[unit * bones[parent].stem if parent else np.zeros(3) for parent in parents.values()],
    )
    return Actor(skeleton, tuple(bones[name] for name in names), degrees, unit)


def read_amc_take(path: str | Path, actor: Actor) -> Take:
    """The motion of an AMC file as the actor's own skeleton does it; frames numbered by fours are a quarter of 120 Hz."""
    frames, values = _amc(Path(path), actor)
    rotations = np.empty((len(frames), len(actor.bones), 3, 3))
    position = np.zeros((len(frames), 3))
    for joint, bone in enumerate(actor.bones):
        turns = [channel for channel in bone.dof if channel in _TURNS]
        angles = values[bone.name][:, [bone.dof.index(channel) for channel in turns]]
        rotations[:, joint] = bone.axis @ _euler(turns, angles, actor.degrees) @ bone.axis.T
        for channel in set(bone.dof) - set(turns):
            position[:, _SHIFTS.index(channel)] = actor.unit * values[bone.name][:, bone.dof.index(channel)]
    stride = frames[1] - frames[0] if len(frames) > 1 else 1
    return Take(Path(path).stem, _RATE / stride, actor.skeleton, rotations, position)


def read_amc(
    path: str | Path,
    asf: str | Path | Actor | None = None,
    *,
    names: Mapping[str, str] | None = None,
    rest: int | None = None,
) -> MotionClip:
    """The motion of an AMC file, carried over to the rig.

    Parameters
    ----------
    path
        The AMC file.
    asf
        The actor, or the ASF file with it. None: the one beside `path`, 02.asf for 02_01.amc.
    names, rest
        As in `retarget`.
    """
    path = Path(path)
    actor = asf if isinstance(asf, Actor) else read_asf(find_asf(path) if asf is None else asf)
    usual = {joint: name for joint, name in _NAMES.items() if name in actor.skeleton.names}
    return retarget(read_amc_take(path, actor), names=usual | dict(names or {}), rest=rest, scale=1.0)


def find_asf(path: Path) -> Path:
    """The ASF file beside an AMC file: of the same name, of the name up to the last underscore, or the only one."""
    beside = sorted(path.parent.glob("*.[aA][sS][fF]"))
    for stem in (path.stem, path.stem.rpartition("_")[0]):
        for asf in beside:
            if asf.stem == stem:
                return asf
    if len(beside) == 1:
        return beside[0]
    found = ", ".join(asf.name for asf in beside) or "no ASF file"
    raise MotionError(f"{path}: needs the ASF file of its actor; found {found} beside it; put it there or pass asf=")


def _sections(path: Path) -> dict[str, list[Line]]:
    """The lines of each section of an ASF file."""
    sections: dict[str, list[Line]] = {}
    current: list[Line] | None = None
    for line in read_lines(path):
        word = line.words[0].lower()
        if word.startswith(":"):
            if word not in _SECTIONS or word in sections:
                line.fail(f"a section must be one of {' '.join(_SECTIONS)}, each once; found {word}; is this an ASF file?")
            current = sections[word] = []
        elif current is None:
            line.fail(f"an ASF file starts with a section such as :version; found {word!r}; is this an ASF file?")
        else:
            current.append(line)
    for section in _NEEDED:
        if section not in sections:
            raise MotionError(f"{path}: an ASF file has a section {section}; found {' '.join(sections)}; complete it")
    return sections


def _root(lines: Sequence[Line], degrees: bool) -> Bone:
    """The root as a bone without length."""
    fields = {line.words[0].lower(): line for line in lines}
    dof: tuple[str, ...] = ()
    if "order" in fields:
        dof = _dof(fields["order"], (*_SHIFTS, *_TURNS))
    axis = np.eye(3)
    if "orientation" in fields:
        order = fields["axis"].words[1] if "axis" in fields and len(fields["axis"].words) > 1 else "XYZ"
        axis = _frame(fields["orientation"], order, degrees)
    return Bone("root", np.zeros(3), axis, dof)


def _bones(lines: Sequence[Line], degrees: bool) -> dict[str, Bone]:
    """The bones between begin and end."""
    bones: dict[str, Bone] = {}
    fields: dict[str, Line] = {}
    for line in lines:
        word = line.words[0].lower()
        if word == "begin":
            fields = {}
        elif word == "end":
            bone = _bone(fields, line, degrees)
            if bone.name in bones or bone.name == "root":
                line.fail(f"bones must have names of their own; found {bone.name!r} again; rename one")
            bones[bone.name] = bone
        elif word in _BONE_KEYS:
            fields[word] = line
        elif not word.startswith("("):  # the second and third pair of limits stand on lines of their own
            line.fail(f"a bone says {', '.join(_BONE_KEYS)}; found {word!r}; repair the line")
    return bones


def _bone(fields: Mapping[str, Line], end: Line, degrees: bool) -> Bone:
    for key in ("name", "direction", "length", "axis"):
        if key not in fields:
            end.fail(f"a bone must say its {key}; found {', '.join(fields) or 'nothing'} before this end; add it")
    name = " ".join(fields["name"].words[1:])
    stem = fields["direction"].numbers(3, "direction") * fields["length"].numbers(1, "length")
    order = fields["axis"].words[4] if len(fields["axis"].words) > 4 else "XYZ"
    dof = _dof(fields["dof"], _TURNS) if "dof" in fields else ()
    return Bone(name, stem, _frame(fields["axis"], order, degrees), dof)


def _dof(line: Line, allowed: Sequence[str]) -> tuple[str, ...]:
    """The channels of a line, in its order."""
    dof = tuple(word.lower() for word in line.words[1:])
    if len(set(dof)) < len(dof) or not set(dof) <= set(allowed):
        line.fail(f"channels must be of {' '.join(allowed)}, each once; found {' '.join(dof)!r}; repair the line")
    return dof


def _frame(line: Line, order: str, degrees: bool) -> NDArray[np.float64]:
    """The frame (3, 3) of three angles about fixed axes in the given order."""
    if sorted(order.upper()) != ["X", "Y", "Z"]:
        line.fail(f"the order of the angles must be XYZ or another order of these; found {order!r}; repair it")
    return _euler([f"r{letter}" for letter in order.lower()], line.numbers(3, line.words[0])[None], degrees)[0]


def _euler(channels: Sequence[str], angles: NDArray[np.float64], degrees: bool) -> NDArray[np.float64]:
    """Turns (F, 3, 3) of angles (F, C) about fixed axes, the first applied first."""
    if not channels:
        return np.broadcast_to(np.eye(3), (len(angles), 3, 3))
    return Rotation.from_euler("".join(channel[1] for channel in channels), angles, degrees=degrees).as_matrix()


def _parents(lines: Sequence[Line], bones: Mapping[str, Bone]) -> dict[str, str]:
    """The parent of every bone, parents first; "" for the root."""
    parents = {"root": ""}
    for line in lines:
        parent, *children = line.words
        if parent.lower() in ("begin", "end") and not children:
            continue
        if parent not in parents:
            line.fail(f"a bone must hang on one that was named above; found {parent!r}; put its own line first")
        for child in children:
            if child not in bones or child in parents:
                problem = "hangs on another bone already" if child in parents else "is not in :bonedata"
                line.fail(f"every bone of :bonedata hangs on one bone; found {child!r}, which {problem}; repair the line")
            parents[child] = parent
    loose = sorted(set(bones) - set(parents))
    if loose:
        lines[-1].fail(f"every bone of :bonedata hangs on one bone; found {', '.join(loose)} nowhere; add a line")
    return parents


def _amc(path: Path, actor: Actor) -> tuple[list[int], dict[str, NDArray[np.float64]]]:
    """The frames' numbers, and per bone its channels (F, C)."""
    lines = read_lines(path)
    header = [line for line in lines if line.words[0].startswith(":")]
    body = lines[len(header) :]
    for line in header:
        word = line.words[0].lower()
        if word in (":degrees", ":radians") and (word == ":degrees") != actor.degrees:
            line.fail(f"angles must be as in the ASF file, {'deg' if actor.degrees else 'rad'}; found {word}; is this its AMC?")
    if not body or not body[0].words[0].isdecimal():
        (body or lines)[0].fail("an AMC file starts with the number of its first frame; found none; is this an AMC file?")

    # Every frame has the lines of the first one, in the same order: so the file is a table, read column by column.
    starts = [row for row, line in enumerate(body) if line.words[0].isdecimal()]
    block = starts[1] if len(starts) > 1 else len(body)
    first = body[:block]
    for row, line in enumerate(body):
        asked, found = first[row % block].words[0], line.words[0]
        if asked != found and (row % block or not found.isdecimal()):
            line.fail(f"every frame has the lines of the first, here {asked!r}; found {found!r}; repair the frame")
    if len(body) % block:
        body[-1].fail(f"every frame has {block} lines as the first; found {len(body) % block} in the last; cut or complete it")

    dof = {bone.name: len(bone.dof) for bone in actor.bones}
    values = {bone.name: np.zeros((len(starts), 0)) for bone in actor.bones}
    for row, line in enumerate(first[1:], start=1):
        name = line.words[0]
        if not dof.get(name):
            line.fail(f"a line must be of a bone with dof in the ASF file; found {name!r}; is this its AMC?")
        if values[name].size:
            line.fail(f"a frame has one line for a bone; found {name!r} again; repair the frame")
        values[name] = table(body[row::block], 1, dof[name], f"the channels of {name}")
    silent = sorted(name for name, count in dof.items() if count and not values[name].size)
    if silent:
        body[block - 1].fail(f"a frame has a line for every bone with dof; found none for {', '.join(silent)}; is this its AMC?")

    frames = [int(body[start].words[0]) for start in starts]
    for start, last, number in zip(starts[1:], frames, frames[1:]):
        if number - last != frames[1] - frames[0] or number <= last:
            body[start].fail(f"frames must be numbered in equal steps; found {number} after {last}; cut the file there")
    return frames, values
