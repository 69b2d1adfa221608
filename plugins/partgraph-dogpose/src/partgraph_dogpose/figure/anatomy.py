"""What a dog's joints do, in words of anatomy and degrees, as angles of the skeleton's hinges.

Forward and flexion are positive on both sides, to the left and outwards too; zero is the dog at rest, standing.
"""

from __future__ import annotations

from typing import Literal

Angles = dict[str, float]
"""Degrees by hinge, named as in `DogModel.hinges`."""

Side = Literal["L", "R"]
SIDES: tuple[Side, Side] = ("L", "R")


def fore_leg(
    side: Side, forward: float = 0, elbow: float = 0, wrist: float = 0, out: float = 0, toes: float = 0
) -> Angles:
    """A leg of the front pair; the shoulder blade takes a third of its swing."""
    return {
        f"scapula_{side}.2": -forward / 3,
        f"upper_arm_{side}.1": -forward * 2 / 3,
        f"lower_arm_{side}.0": -elbow,
        f"hand_{side}.0": -wrist,
        f"scapula_{side}.1": out / 2,
        f"upper_arm_{side}.0": out / 2,
        f"finger_{side}.0": toes,
    }


def hind_leg(
    side: Side, forward: float = 0, knee: float = 0, hock: float = 0, out: float = 0, toes: float = 0
) -> Angles:
    """A leg of the hind pair."""
    return {
        f"upper_leg_{side}.2": -forward,
        f"lower_leg_{side}.0": -knee,
        f"foot_{side}.0": -hock,
        f"upper_leg_{side}.1": out,
        f"toe_{side}.0": toes,
    }


def spine(flexion: float = 0, bend: float = 0, twist: float = 0) -> Angles:
    """The loins: hunched, bent to the left, twisted."""
    angles = {f"L_{k}.0": -flexion / 4 for k in (1, 3, 5, 7)}
    angles |= {f"L_{k}.1": -bend / 4 for k in (1, 3, 5, 7)}
    return angles | {f"L_{k}.0": twist / 3 for k in (2, 4, 6)}


def head(
    lowered: float = 0, turned: float = 0, nod: float = 0, tilted: float = 0, mouth: float = 0
) -> Angles:
    """Neck lowered and turned to the left, head nodding and tilted about its long axis, mouth opened."""
    angles = {f"C_{k}.0": lowered / 4 for k in (7, 5, 3, 1)}
    angles |= {"C_7.1": turned / 3, "C_4.0": turned / 3, "C_2.0": turned / 3}
    angles |= {"C_5.1": tilted / 3, "C_3.1": tilted / 3, "C_1.1": tilted / 3}
    return angles | {"skull.0": -nod, "jaw.0": mouth}


def tail(lifted: float = 0, wagged: float = 0, curled: float = 0) -> Angles:
    """The tail: every hinge lifted, those of the outer half curled more, wagged to the left."""
    angles = {f"Ca_{k}.0": lifted + (curled if k > 9 else 0) for k in range(1, 22, 2)}
    return angles | {f"Ca_{k}.0": wagged for k in range(2, 21, 2)}
