"""Acclaim motion capture as the CMU database has it: the actor in an ASF file, the motion in an AMC file.

A bone b turns at its near end by L_b = C_b M_b C_b^T, with C_b its `axis` and M_b its angles in the order of
its `dof`, about fixed axes, the first applied first. Here a bone is the joint at its near end.
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

_INCH: Final = 0.0254  # metres; `length` in :units says how many of the file's units an inch is
_RATE: Final = 120.0  # frames a second of the CMU database; an AMC file does not say
# A CMU wrist is the lower half of the forearm, which twists; what turns at the wrist is the hand.
_NAMES: Final = {"L_Wrist": "lhand", "R_Wrist": "rhand"}

_NEEDED: Final = (":units", ":root", ":bonedata", ":hierarchy")
_SECTIONS: Final = (":version", ":name", ":documentation", ":skin", *_NEEDED)
_BONE_NEEDED: Final = ("name", "direction", "length", "axis")
_BONE_KEYS: Final = (*_BONE_NEEDED, "id", "dof", "limits", "bodymass", "cofmass")
_ANGLES: Final = ("rx", "ry", "rz")
_SHIFTS: Final = ("tx", "ty", "tz")


@final
@attrs.frozen(eq=False)
class Bone:
    """A bone of an ASF file.

    Parameters
    ----------
    name
        Its name; "root" for the root, a bone without length.
    stem
        (3,) float64, the file's unit; from the near to the far end while nothing is turned.
    axis
        (3, 3) float64; the frame that its angles are about.
    dof
        Its channels in the order of the AMC file, "rx" to "rz", for the root "tx" to "tz" too.
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
        B joints at the near ends of the bones, metres.
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
    """Read the actor of an ASF file."""
    sections = _sections(Path(path))
    units = {line.words[0].lower(): line for line in sections[":units"]}
    unit = _INCH / units["length"].positive() if "length" in units else _INCH
    degrees = _is_in_degrees(units["angle"]) if "angle" in units else True

    bones = {"root": _root(sections[":root"], degrees)} | _bones(sections[":bonedata"], degrees)
    parents = _parents(sections[":hierarchy"], bones)
    names = list(parents)
    skeleton = Skeleton(
        names=tuple(names),
        parents=tuple(names.index(parent) if parent else -1 for parent in parents.values()),
        # A joint is at the far end of its parent.
        offsets=np.stack(
            [unit * bones[parent].stem if parent else np.zeros(3) for parent in parents.values()]
        ),
    )
    return Actor(skeleton, tuple(bones[name] for name in names), degrees, unit)


def read_amc_take(path: str | Path, actor: Actor) -> Take:
    """Read the motion of an AMC file as the actor's own skeleton does it.

    The rate is CMU's 120 frames a second, and a quarter of that where frames are numbered 1, 5, 9 and so on.
    """
    frames, values = _frames(read_lines(Path(path), comment="#"), actor)
    rotations = np.empty((len(frames), len(actor.bones), 3, 3))
    position = np.zeros((len(frames), 3))
    for joint, bone in enumerate(actor.bones):
        angles = [k for k, channel in enumerate(bone.dof) if channel in _ANGLES]
        order = "".join(bone.dof[k][1] for k in angles)
        rotations[:, joint] = (
            bone.axis @ _turns(order, values[bone.name][:, angles], actor.degrees) @ bone.axis.T
        )
        for k, channel in enumerate(bone.dof):
            if channel in _SHIFTS:
                position[:, _SHIFTS.index(channel)] = actor.unit * values[bone.name][:, k]
    stride = frames[1] - frames[0] if len(frames) > 1 else 1
    return Take(Path(path), _RATE / stride, actor.skeleton, rotations, position)


def read_amc(
    path: str | Path,
    asf: str | Path | Actor | None = None,
    *,
    names: Mapping[str, str] | None = None,
    rest: int | None = None,
    up: str | None = None,
) -> MotionClip:
    """Read the motion of an AMC file and carry it over to the rig.

    Parameters
    ----------
    path
        The AMC file.
    asf
        The actor, or the ASF file that it is in. None: the ASF file beside `path`, 02.asf for 02_01.amc.
    names, rest, up
        As in `retarget`.

    Returns
    -------
    MotionClip
        Named as the file.
    """
    path = Path(path)
    actor = asf if isinstance(asf, Actor) else read_asf(_beside(path) if asf is None else asf)
    usual = {joint: name for joint, name in _NAMES.items() if name in actor.skeleton.names}
    take = read_amc_take(path, actor)
    return retarget(take, names=usual | dict(names or {}), rest=rest, up=up, scale=1.0)


def _beside(path: Path) -> Path:
    """Return the ASF file beside an AMC file: of its name, of its name up to the last _, or the only one."""
    found = {asf.stem: asf for asf in sorted(path.parent.glob("*.[aA][sS][fF]"))}
    for stem in (path.stem, path.stem.rpartition("_")[0], *(found if len(found) == 1 else ())):
        if stem in found:
            return found[stem]
    listed = ", ".join(asf.name for asf in found.values()) or "none"
    raise MotionError(path, "an AMC file needs the ASF file of its actor beside it", listed, "pass asf=")


def _sections(path: Path) -> dict[str, list[Line]]:
    """Return the lines of each section of an ASF file."""
    sections: dict[str, list[Line]] = {}
    for line in read_lines(path, comment="#"):
        word = line.words[0].lower()
        if word.startswith(":"):
            if word not in _SECTIONS or word in sections:
                line.fail(
                    f"a section must be of {' '.join(_SECTIONS)}, each once",
                    word,
                    "is this an ASF file?",
                )
            sections[word] = []
        elif not sections:
            line.fail(
                "an ASF file starts with a section such as :version", repr(word), "is this an ASF file?"
            )
        else:
            sections[list(sections)[-1]].append(line)
    for section in _NEEDED:
        if not sections.get(section):
            raise MotionError(
                path, f"an ASF file must have {section}", " ".join(sections), "complete the file"
            )
    return sections


def _is_in_degrees(line: Line) -> bool:
    if line.words[1:] not in (("deg",), ("rad",)):
        line.fail("angle must be deg or rad", repr(" ".join(line.words[1:])), "repair the line")
    return line.words[1] == "deg"


def _root(lines: Sequence[Line], degrees: bool) -> Bone:
    """Return the root as a bone without length."""
    fields = {line.words[0].lower(): line for line in lines}
    dof = _dof(fields["order"], (*_SHIFTS, *_ANGLES)) if "order" in fields else ()
    axis = np.eye(3)
    if "orientation" in fields:
        order = fields["axis"].words[1:2] if "axis" in fields else ()
        axis = _axis(fields["orientation"], order, degrees)
    return Bone("root", np.zeros(3), axis, dof)


def _bones(lines: Sequence[Line], degrees: bool) -> dict[str, Bone]:
    """Return the bones, each between its begin and end."""
    bones: dict[str, Bone] = {}
    fields: dict[str, Line] = {}
    for line in lines:
        word = line.words[0].lower()
        if word == "begin":
            fields = {}
        elif word == "end":
            bone = _bone(fields, line, degrees)
            if bone.name in (*bones, "root"):
                line.fail("every bone has a name of its own", f"{bone.name!r} again", "rename it")
            bones[bone.name] = bone
        elif word in _BONE_KEYS:
            fields[word] = line
        elif not word.startswith("("):  # limits go on in lines of their own
            line.fail(f"a bone has {', '.join(_BONE_KEYS)}", repr(word), "repair the line")
    return bones


def _bone(fields: Mapping[str, Line], end: Line, degrees: bool) -> Bone:
    for key in _BONE_NEEDED:
        if key not in fields:
            end.fail(f"a bone must have {', '.join(_BONE_NEEDED)}", f"no {key} before this end", "add it")
    return Bone(
        name=" ".join(fields["name"].words[1:]),
        stem=fields["direction"].numbers(3) * fields["length"].numbers(1),
        axis=_axis(fields["axis"], fields["axis"].words[4:], degrees),
        dof=_dof(fields["dof"], _ANGLES) if "dof" in fields else (),
    )


def _dof(line: Line, allowed: Sequence[str]) -> tuple[str, ...]:
    """Return the channels of a line in small letters."""
    dof = tuple(word.lower() for word in line.words[1:])
    if len(set(dof)) < len(dof) or not set(dof) <= set(allowed):
        line.fail(
            f"channels must be of {' '.join(allowed)}, each once", repr(" ".join(dof)), "repair the line"
        )
    return dof


def _axis(line: Line, order: Sequence[str], degrees: bool) -> NDArray[np.float64]:
    """Return the frame (3, 3) that a line's three angles in an order such as XYZ turn to."""
    letters = "".join(order).lower() or "xyz"
    if sorted(letters) != ["x", "y", "z"]:
        line.fail(
            "the order of three angles must be XYZ or the like", repr(" ".join(order)), "repair the line"
        )
    return _turns(letters, line._replace(words=line.words[:4]).numbers(3)[None], degrees)[0]


def _turns(order: str, angles: NDArray[np.float64], degrees: bool) -> NDArray[np.float64]:
    """Return the turns (F, 3, 3) by angles (F, C) about fixed axes, the first applied first."""
    if not order:
        return np.tile(np.eye(3), (len(angles), 1, 1))
    return Rotation.from_euler(order, angles, degrees=degrees).as_matrix()  # small letters: fixed axes


def _parents(lines: Sequence[Line], bones: Mapping[str, Bone]) -> dict[str, str]:
    """Return the parent of every bone, parents first, "" for the root."""
    parents = {"root": ""}
    for line in lines:
        parent, *children = line.words
        if not children and parent.lower() in ("begin", "end"):
            continue
        if parent not in parents:
            line.fail("a bone must hang on one that is known by now", repr(parent), "move the line down")
        for child in children:
            if child not in bones or child in parents:
                problem = "hangs on another already" if child in parents else "is not in :bonedata"
                line.fail(
                    "a bone of :bonedata hangs on one other", f"{child!r}, which {problem}", "repair the line"
                )
            parents[child] = parent
    loose = ", ".join(name for name in bones if name not in parents)
    if loose:
        lines[-1].fail("every bone of :bonedata hangs on another", f"{loose} nowhere", "complete :hierarchy")
    return parents


def _frames(lines: Sequence[Line], actor: Actor) -> tuple[list[int], dict[str, NDArray[np.float64]]]:
    """Return the numbers of the frames, and the channels (F, C) of every bone."""
    body = _body(lines, actor.degrees)
    starts = [row for row, line in enumerate(body) if line.words[0].isdecimal()]
    numbers = [int(body[row].words[0]) for row in starts]
    for row, before, number in zip(starts[1:], numbers, numbers[1:], strict=False):
        if number - before != numbers[1] - numbers[0] or number <= before:
            body[row].fail(
                "frames must be numbered in equal steps", f"{number} after {before}", "cut the file here"
            )

    # Every frame has the lines of the first one in the same order: the file is a table, read column by column.
    block = [*starts, len(body)][1]
    labels = ["its number" if line.words[0].isdecimal() else line.words[0] for line in body]
    for row, (line, found) in enumerate(zip(body, labels, strict=True)):
        asked = labels[row % block]
        if found != asked:
            line.fail(
                f"every frame has the lines of the first, here {asked!r}", repr(found), "repair the frame"
            )
    if len(body) % block:
        body[-1].fail(
            f"every frame has {block} lines as the first", str(len(body) % block), "is the file complete?"
        )

    dof = {bone.name: len(bone.dof) for bone in actor.bones}
    values = {name: np.zeros((len(numbers), 0)) for name in dof}
    for row, line in enumerate(body[1:block], start=1):
        name = line.words[0]
        if not dof.get(name) or values[name].size:
            line.fail(
                "a line is of one more bone that has dof in the ASF file",
                repr(name),
                "is it the right ASF file?",
            )
        values[name] = table(body[row::block], 1, dof[name], name)
    silent = ", ".join(name for name, count in dof.items() if count and not values[name].size)
    if silent:
        body[block - 1].fail(
            "a frame has a line for every bone with dof", f"none of {silent}", "complete the frames"
        )
    return numbers, values


def _body(lines: Sequence[Line], degrees: bool) -> Sequence[Line]:
    """Return the lines of the frames, which start with the number of the first."""
    start = next((row for row, line in enumerate(lines) if not line.words[0].startswith(":")), len(lines))
    asked = ":degrees" if degrees else ":radians"
    for line in lines[:start]:
        word = line.words[0].lower()
        if word in (":degrees", ":radians") and word != asked:
            line.fail(f"angles must be {asked} as in the ASF file", word, "is it the right ASF file?")
    if start == len(lines) or not lines[start].words[0].isdecimal():
        line = lines[min(start, len(lines) - 1)]
        line.fail(
            "an AMC file has frames that start with a number", repr(line.words[0]), "is this an AMC file?"
        )
    return lines[start:]
