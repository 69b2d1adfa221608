"""The twenty-five parts of a dog: nose to tail along the spine, and four points on every leg."""

from __future__ import annotations

import itertools

_SPINE = ("nose", "skull", "neck", "neck-base", "loin", "pelvis", "tail-base", "tail-middle", "tail-tip")
_FORE_LEG = ("shoulder", "elbow", "wrist", "fore-paw")
_HIND_LEG = ("hip", "knee", "hock", "hind-paw")
_SIDES = ("left", "right")

PARTS: tuple[str, ...] = (
    *_SPINE,
    *(f"{side}-{joint}" for side in _SIDES for joint in (*_FORE_LEG, *_HIND_LEG)),
)
"""Part names in the order of every ``(25, ...)`` array."""

ROOT: int = PARTS.index("loin")
"""The part that depth is measured from: nose and tip of the tail are about equally far."""


def _chain(*parts: str) -> tuple[tuple[str, str], ...]:
    return tuple(itertools.pairwise(parts))


LIMBS: tuple[tuple[str, str], ...] = (
    *_chain("loin", "neck-base", "neck", "skull", "nose"),
    *_chain("loin", "pelvis", "tail-base", "tail-middle", "tail-tip"),
    *(
        bone
        for side in _SIDES
        for bone in (
            *_chain("neck-base", *(f"{side}-{joint}" for joint in _FORE_LEG)),
            *_chain("pelvis", *(f"{side}-{joint}" for joint in _HIND_LEG)),
        )
    ),
)
"""The twenty-four bones, each from the joint nearer to the loin outwards."""


def mirrored(part: str) -> str:
    """Name of `part` after the image is flipped left to right."""
    side, _, joint = part.partition("-")
    if side not in _SIDES:
        return part
    return f"{'right' if side == 'left' else 'left'}-{joint}"


FLIP: tuple[int, ...] = tuple(PARTS.index(mirrored(part)) for part in PARTS)
"""``positions[FLIP]`` relabels the parts of a flipped image."""
