"""The sixteen joints of MPII, the skeleton that the paper trains on (section 3.3)."""

from __future__ import annotations

PARTS: tuple[str, ...] = (
    "right-ankle",
    "right-knee",
    "right-hip",
    "left-hip",
    "left-knee",
    "left-ankle",
    "pelvis",
    "thorax",
    "neck",
    "head-top",
    "right-wrist",
    "right-elbow",
    "right-shoulder",
    "left-shoulder",
    "left-elbow",
    "left-wrist",
)
"""Part names in the order of every ``(16, ...)`` array."""

POSE: tuple[tuple[float, float], ...] = (
    (-14, 88),
    (-12, 45),
    (-12, 3),
    (12, 3),
    (14, 45),
    (17, 88),
    (0, 0),
    (0, -46),
    (1, -56),
    (2, -76),
    (-40, -6),
    (-33, -22),
    (-18, -45),
    (18, -45),
    (31, -20),
    (42, 2),
)
"""Where graphs are drawn, (16, 2) cm: somebody who stands and faces us, x to the right and y down."""

ROOT: int = PARTS.index("pelvis")
"""The part that depth is measured from."""

LIMBS: tuple[tuple[str, str], ...] = (
    ("pelvis", "right-hip"),
    ("right-hip", "right-knee"),
    ("right-knee", "right-ankle"),
    ("pelvis", "left-hip"),
    ("left-hip", "left-knee"),
    ("left-knee", "left-ankle"),
    ("pelvis", "thorax"),
    ("thorax", "neck"),
    ("neck", "head-top"),
    ("thorax", "right-shoulder"),
    ("right-shoulder", "right-elbow"),
    ("right-elbow", "right-wrist"),
    ("thorax", "left-shoulder"),
    ("left-shoulder", "left-elbow"),
    ("left-elbow", "left-wrist"),
)
"""The fifteen bones, each from the joint nearer to the pelvis outwards."""


def mirrored(part: str) -> str:
    """Name of `part` after the image is flipped left to right."""
    if part.startswith("left-"):
        return "right-" + part.removeprefix("left-")
    if part.startswith("right-"):
        return "left-" + part.removeprefix("right-")
    return part


FLIP: tuple[int, ...] = tuple(PARTS.index(mirrored(part)) for part in PARTS)
"""``positions[FLIP]`` relabels the joints of a flipped image."""
