"""What ``partgraph data check`` says of a folder with Human3.6M."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from partgraph.errors import PartGraphError
from partgraph.learning.dataset import Inventory
from partgraph_humanpose.datasets.human36m.annotations import Annotations
from partgraph_humanpose.datasets.human36m.layout import Layout
from partgraph_humanpose.datasets.human36m.protocol import ACTIONS, CAMERAS, SUBJECTS, Video

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
    takes = Counter(action for action, _ in {(video.action, video.take) for video in read.videos})
    other = [f"{action} {takes[action]}" for action in ACTIONS if takes[action] != _TAKES]
    if other:
        yield f"{subject}: not {_TAKES} takes of each action as in the release, but {', '.join(other)}"
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
