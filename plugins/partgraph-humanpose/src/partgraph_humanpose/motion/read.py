"""Reads motion from whatever a path leads to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from partgraph_humanpose.motion.asf_amc import read_amc
from partgraph_humanpose.motion.bvh import read_bvh
from partgraph_humanpose.motion.clip import MotionClip
from partgraph_humanpose.motion.text import MotionError

_SUFFIXES: Final = (".amc", ".bvh")


def read_motion(
    path: str | Path,
    *,
    names: Mapping[str, str] | None = None,
    rest: int | None = None,
    up: str | None = None,
    scale: float | None = None,
) -> tuple[MotionClip, ...]:
    """Read the motion of an AMC or BVH file, or of all such files in a folder and the folders in it.

    Parameters
    ----------
    path
        The file or folder. An AMC file needs the ASF file of its actor beside it, 02.asf for 02_01.amc.
    names, rest, up, scale
        As in `retarget`, for all files; the scale of AMC files is in the ASF file.

    Returns
    -------
    tuple
        A clip a file, in the order of their paths.
    """
    path = Path(path)
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES)
        if not files:
            raise MotionError(path, "a folder of motion has .amc or .bvh files", "none", "check the path")
    clips = []
    for file in files:
        match file.suffix.lower():
            case ".amc":
                clips.append(read_amc(file, names=names, rest=rest, up=up))
            case ".bvh":
                clips.append(read_bvh(file, names=names, rest=rest, up=up, scale=scale))
            case suffix:
                asked = f"motion is read from {' and '.join(_SUFFIXES)} files"
                raise MotionError(file, asked, suffix or "no suffix", "convert the file")
    return tuple(clips)
