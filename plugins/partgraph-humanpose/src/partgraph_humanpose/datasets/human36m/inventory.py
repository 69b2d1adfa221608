"""What ``partgraph data check`` says of a folder with Human3.6M."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from partgraph.errors import PartGraphError
from partgraph.learning.dataset import Inventory
from partgraph_humanpose.datasets.human36m.annotations import Annotations
from partgraph_humanpose.datasets.human36m.cameras import METADATA, find_beside
from partgraph_humanpose.datasets.human36m.layout import Layout
from partgraph_humanpose.datasets.human36m.protocol import ACTIONS, CAMERAS, SUBJECTS, Video, action_of
from partgraph_humanpose.datasets.human36m.takes import read_takes, take_of

_TAKES = 2  # of each action and subject


def inspect_layout(layout: Layout) -> Inventory:
    """Subjects, actions, cameras and frames, and what is missing or malformed. Reads all annotation, no picture."""
    try:
        subjects, cameras = layout.subjects(), layout.cameras()
    except PartGraphError as error:
        return Inventory(layout.title, {"folder": str(layout.folder)}, (str(error),))
    absent = [subject for subject in SUBJECTS if subject not in subjects]
    problems = [f"no poses of {', '.join(absent)}"] if absent else []
    videos: list[Video] = []
    frames: dict[str, int] = {}
    for subject in subjects:  # one after the other: all of them would fill the memory
        try:
            read = layout.read(subject)
        except PartGraphError as error:
            problems.append(str(error))
            continue
        videos += read.videos
        frames[subject] = len(read)
        problems += _problems(layout, subject, read)
    contents: dict[str, Any] = {
        "folder": str(layout.folder),
        "subjects": list(subjects),
        "actions": [action for action in ACTIONS if action in {video.action for video in videos}],
        "cameras": [camera for camera in CAMERAS if camera in {video.camera for video in videos}],
        "camera parameters": "none" if cameras is None else f"{len(cameras)} of subject and camera",
        "videos": len(videos),
        "videos that drift": sum(video.drifts for video in videos),
        "frames": sum(frames.values()),
        "frames of each subject": frames,
    }
    return Inventory(layout.title, contents, tuple(problems))


def _problems(layout: Layout, subject: str, read: Annotations) -> Iterator[str]:
    yield from _missing_takes(
        subject, {video.take for video in read.videos}, find_beside(layout.folder, METADATA)
    )
    for take in sorted({video.take for video in read.videos}):
        seen = {video.camera for video in read.videos if video.take == take}
        lacking = [
            camera for camera in CAMERAS if camera not in seen and not Video(subject, take, camera).is_missing
        ]
        if lacking:
            yield f"{subject} {take}: no poses from camera {', '.join(lacking)}"
    without = []
    for k, video in enumerate(read.videos):
        if video.is_missing:
            continue
        for frame in read.frame[read.video == k][[0, -1]]:
            path = layout.picture_path(video, int(frame))
            if not path.is_file():
                without.append(path)
                break
    if without:
        yield f"{subject}: no pictures of {len(without)} of {len(read.videos)} videos, as {without[0]}"


def _missing_takes(subject: str, there: Set[str], metadata: Path | None) -> Iterator[str]:
    """By the names in ``metadata.xml``; without it, every action should have two takes."""
    takes = read_takes(metadata) if metadata is not None else {}
    if takes.get(subject):
        found = {take_of(name, subject, takes) for name in there}
        missing = [name for name, take in takes[subject].items() if take not in found]
        unknown = sorted(name for name in there if take_of(name, subject, takes) is None)
        if missing:
            yield f"{subject}: no poses of {', '.join(missing)}, which metadata.xml has"
        if unknown:
            yield f"{subject}: metadata.xml has no {', '.join(unknown)}"
        return
    numbers = Counter(map(action_of, there))
    other = [f"{action} {numbers[action]}" for action in ACTIONS if numbers[action] != _TAKES]
    if other:
        yield f"{subject}: not {_TAKES} takes of each action as in the release, but {', '.join(other)}"
