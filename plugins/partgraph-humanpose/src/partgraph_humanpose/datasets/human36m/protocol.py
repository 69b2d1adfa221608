"""Subjects, actions, cameras and videos of Human3.6M, and which of them the paper uses (section 3.2)."""

from __future__ import annotations

import re
from typing import Literal, final

import attrs

TRAIN: tuple[str, ...] = ("S1", "S5", "S6", "S7", "S8")
TEST: tuple[str, ...] = ("S9", "S11")
SUBJECTS: tuple[str, ...] = TRAIN + TEST
"""Those whose poses were released."""

CAMERAS: tuple[str, ...] = ("54138969", "55011271", "58860488", "60457274")
"""In the order of cam1 to cam4 of the paper's Table 3."""

RATE = 50
"""Frames a second of the videos."""

ACTIONS: tuple[str, ...] = (
    "Directions",
    "Discussion",
    "Eating",
    "Greeting",
    "Phoning",
    "Photo",
    "Posing",
    "Purchases",
    "Sitting",
    "SittingDown",
    "Smoking",
    "Waiting",
    "WalkDog",
    "Walking",
    "WalkTogether",
)
"""In the order of the paper's Table 1, which is not that of the data set's numbers."""

ACTION_OF_NUMBER: dict[int, str] = dict(
    enumerate(
        (
            *("Directions", "Discussion", "Eating", "Greeting", "Phoning", "Posing", "Purchases", "Sitting"),
            *("SittingDown", "Smoking", "Photo", "Waiting", "Walking", "WalkDog", "WalkTogether"),
        ),
        start=2,
    )
)
"""The numbers of ``metadata.xml``, 2 to 16; 1 is ``_ALL``, the motion-capture calibration."""

_OTHER_NAMES = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog", "WalkingTogether": "WalkTogether"}

Drift = Literal["remove", "keep", "repair"]


@final
@attrs.frozen(order=True)
class Video:
    """One take seen by one camera.

    Attributes
    ----------
    subject : "S1"
    take : the name of the official file, "Directions 1", or action and number of the take, "Directions-2"
    camera : "54138969"
    """

    subject: str
    take: str
    camera: str

    @property
    def action(self) -> str:
        """One of `ACTIONS`, or the take's own word where it is none of them."""
        return action_of(self.take)

    @property
    def drifts(self) -> bool:
        """Whether the recorded joints are away from the person in the picture."""
        return (self.subject, self.take) in _DRIFTING

    @property
    def is_missing(self) -> bool:
        """Whether the official release lacks a usable video."""
        return (self.subject, self.camera) == ("S11", "54138969") and self.take in (
            "Directions",
            "Directions-2",
        )

    def __str__(self) -> str:
        return f"{self.subject} {self.take}.{self.camera}"


# Three takes of S9 in all four cameras. The numbers after a hyphen are metadata.xml's subactions, the others parts of
# the official files' names; both name the same takes.
_DRIFTING = {
    ("S9", take)
    for take in ("Greeting", "SittingDown 1", "Waiting 1", "Greeting-2", "SittingDown-2", "Waiting-1")
}

DRIFT_X = 200.0
"""mm: what `repair` takes from the drifting joints' world x, a constant by which they are displaced."""


def action_of(take: str) -> str:
    """The action of a take's name: "TakingPhoto 1" is a "Photo"."""
    word = re.split(r"[ _\-.]", take.strip(), maxsplit=1)[0]
    return _OTHER_NAMES.get(word, word)
