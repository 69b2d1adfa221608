"""Trained networks that ship with the plugin."""

from importlib.resources import files
from pathlib import Path


def dog_small() -> Path:
    """Folder of the small network for CPUs."""
    return Path(str(files(__name__))) / "dog-small"
