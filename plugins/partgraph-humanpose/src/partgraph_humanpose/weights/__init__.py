"""Trained networks that ship with the plugin."""

from importlib.resources import files
from pathlib import Path


def human_small() -> Path:
    """Folder of the small network for CPUs."""
    return _folder("human-small")


def human_medium() -> Path:
    """Folder of the deeper network, which errs less and costs a third more."""
    return _folder("human-medium")


def human_medium_structured() -> Path:
    """Folder of the same network after it was trained through the search, too: it errs least."""
    return _folder("human-medium-structured")


def _folder(name: str) -> Path:
    return Path(str(files(__name__))) / name
