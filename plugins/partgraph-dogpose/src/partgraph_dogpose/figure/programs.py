"""Programs of motion: gaits that repeat, and postures that a dog goes into and holds.

A program turns a phase from 0 to 1 and a style, which is random, into angles and a turn of the whole body. No motion
capture of dogs that may be passed on was found, so these are written by hand, after what the gaits are: the order of
footfalls, and the share of a stride in which a paw is on the ground (Hildebrand 1968, "Symmetrical gaits of dogs in
relation to body build").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import attrs
import numpy as np

from partgraph_dogpose.figure.anatomy import SIDES, Angles, Side, fore_leg, head, hind_leg, spine, tail


@attrs.frozen
class Posture:
    """A pose by a program, before limits and disturbance.

    Attributes
    ----------
    angles : degrees by hinge
    pitch : the body's turn upwards in front, degrees
    roll : the body's turn onto its right side, degrees
    """

    angles: Angles
    pitch: float = 0.0
    roll: float = 0.0


Program = Callable[[float, np.random.Generator], Posture]
"""A posture from a phase in [0, 1) and randomness, which sets the style."""


def _gait(
    footfalls: tuple[float, float, float, float],
    duty: float,
    fore: float,
    hind: float,
    lift: float,
    flexion: float = 0.0,
) -> Program:
    """A gait from when its paws begin to swing.

    Parameters
    ----------
    footfalls : share of the stride at which left hind, left fore, right hind and right fore leave the ground
    duty : share of the stride that a paw is on the ground
    fore, hind : amplitude of the legs' swing, degrees
    lift : how far legs fold while they swing, degrees
    flexion : amplitude of the spine, degrees
    """
    left_hind, left_fore, right_hind, right_fore = footfalls

    def posture(phase: float, random: np.random.Generator) -> Posture:
        reach, fold = random.uniform(0.7, 1.2), random.uniform(0.7, 1.2)
        angles: Angles = {}
        for side, hind_at, fore_at in (("L", left_hind, left_fore), ("R", right_hind, right_fore)):
            swing, folded = _stride(phase - hind_at, duty)
            angles |= hind_leg(
                side,  # type: ignore[arg-type]  # mypy widens the literals
                forward=hind * reach * swing + lift * fold * folded * 0.5,
                knee=lift * fold * folded,
                hock=lift * fold * folded * 0.8,
                toes=20 * folded,
            )
            swing, folded = _stride(phase - fore_at, duty)
            angles |= fore_leg(
                side,  # type: ignore[arg-type]
                forward=fore * reach * swing,
                elbow=lift * fold * folded,
                wrist=lift * fold * folded * 1.1,
                toes=20 * folded,
            )
        beat = np.sin(2 * np.pi * (phase + 0.1))
        angles |= spine(flexion=flexion * beat, bend=random.normal(0, 5))
        angles |= head(
            lowered=random.uniform(-10, 45) - 0.3 * flexion * beat,
            turned=random.normal(0, 12),
            nod=random.normal(0, 8),
            mouth=random.uniform(-5, 18),
        )
        angles |= tail(lifted=random.uniform(-2, 9), wagged=random.normal(0, 4), curled=random.uniform(-3, 5))
        return Posture(angles, pitch=0.25 * flexion * beat + random.normal(0, 3), roll=random.normal(0, 3))

    return posture


def _stride(phase: float, duty: float) -> tuple[float, float]:
    """Of a leg that begins to swing at phase 0: how far it is forward, -1 to 1, and how much folded, 0 to 1."""
    at, air = phase % 1.0, 1.0 - duty
    if at < air:
        return -np.cos(np.pi * at / air), np.sin(np.pi * at / air)
    return np.cos(np.pi * (at - air) / duty), 0.0


def _stand(phase: float, random: np.random.Generator) -> Posture:
    angles: Angles = {}
    for side in SIDES:
        bent = random.uniform(0, 15)
        angles |= fore_leg(side, forward=random.normal(0, 7), elbow=random.uniform(-8, 8))
        angles |= hind_leg(side, forward=random.normal(0, 9) + bent / 2, knee=bent, hock=bent)
    return Posture(angles | _looking(random) | _idle_tail(random), pitch=random.normal(0, 3))


def _sit(phase: float, random: np.random.Generator) -> Posture:
    pitch = random.uniform(35, 52)
    angles: Angles = {}
    for side in SIDES:
        angles |= fore_leg(
            side, forward=-pitch + random.normal(0, 5), elbow=random.normal(0, 5), out=random.normal(0, 5)
        )
        angles |= _folded_hind(side, random, pitch)
    return Posture(
        angles | spine(flexion=random.uniform(5, 35)) | _looking(random, 20) | _idle_tail(random), pitch
    )


def _folded_hind(side: Side, random: np.random.Generator, pitch: float) -> Angles:
    """A hind leg that is sat on."""
    return hind_leg(
        side,
        forward=55 + 0.6 * pitch + random.normal(0, 6),
        knee=85 + random.normal(0, 8),
        hock=80 + random.normal(0, 8),
        out=random.uniform(0, 25),
    )


def _lie(phase: float, random: np.random.Generator) -> Posture:
    angles: Angles = {}
    for side in SIDES:
        angles |= fore_leg(
            side,
            forward=-35 + random.normal(0, 5),
            elbow=95 + random.normal(0, 6),
            out=random.uniform(-5, 12),
        )
        angles |= hind_leg(
            side,
            forward=90 + random.normal(0, 8),
            knee=105 + random.normal(0, 8),
            hock=75 + random.normal(0, 10),
            out=random.uniform(0, 30),
        )
    return Posture(angles | spine(bend=random.normal(0, 20)) | _looking(random, 15) | _idle_tail(random))


def _lie_on_the_side(phase: float, random: np.random.Generator) -> Posture:
    angles: Angles = {}
    for side in SIDES:
        angles |= fore_leg(
            side, forward=random.uniform(-25, 45), elbow=random.uniform(0, 70), wrist=random.uniform(0, 60)
        )
        bent = random.uniform(0, 70)
        angles |= hind_leg(side, forward=bent * 0.8 + random.normal(0, 15), knee=bent, hock=bent * 0.8)
    angles |= spine(flexion=random.uniform(-10, 50), bend=random.normal(0, 15)) | _looking(random, 25)
    return Posture(
        angles | _idle_tail(random), random.normal(0, 5), random.choice([-1, 1]) * random.uniform(70, 100)
    )


def _roll_over(phase: float, random: np.random.Generator) -> Posture:
    angles: Angles = {}
    for side in SIDES:
        angles |= fore_leg(
            side,
            random.uniform(-20, 40),
            random.uniform(40, 95),
            random.uniform(30, 100),
            random.uniform(-5, 20),
        )
        bent = random.uniform(20, 90)
        angles |= hind_leg(side, bent + random.normal(0, 10), bent, bent * 0.8, random.uniform(10, 60))
    angles |= spine(flexion=random.uniform(-15, 30), bend=random.normal(0, 25), twist=random.normal(0, 15))
    return Posture(
        angles | _looking(random, 25) | _idle_tail(random), random.normal(0, 8), 180 + random.normal(0, 25)
    )


def _beg(phase: float, random: np.random.Generator) -> Posture:
    pitch = random.uniform(60, 85)
    angles: Angles = {}
    for side in SIDES:
        angles |= fore_leg(
            side, forward=random.uniform(-20, 30), elbow=random.uniform(30, 90), wrist=random.uniform(30, 100)
        )
        angles |= _folded_hind(side, random, pitch)
    angles |= spine(flexion=random.uniform(0, 30)) | head(
        lowered=random.uniform(40, 110), turned=random.normal(0, 15)
    )
    return Posture(angles | _idle_tail(random), pitch)


def _rear_up(phase: float, random: np.random.Generator) -> Posture:
    pitch = random.uniform(40, 75)
    angles: Angles = {}
    for side in SIDES:
        angles |= fore_leg(side, random.uniform(-10, 50), random.uniform(0, 80), random.uniform(0, 90))
        angles |= hind_leg(
            side,
            forward=-pitch * 0.6 + random.normal(0, 10),
            knee=random.uniform(-5, 25),
            hock=random.uniform(0, 30),
        )
    angles |= head(lowered=random.uniform(0, 80), turned=random.normal(0, 20), nod=random.normal(0, 8))
    return Posture(angles | spine(flexion=random.uniform(-20, 10)) | _idle_tail(random), pitch)


def _sniff(phase: float, random: np.random.Generator) -> Posture:
    walking = PROGRAMS["walk"](phase, random)
    angles = walking.angles | head(
        lowered=random.uniform(90, 170), turned=random.normal(0, 20), nod=random.uniform(-5, 12)
    )
    return Posture(angles, pitch=-random.uniform(0, 12))


def _scratch(phase: float, random: np.random.Generator) -> Posture:
    sitting = _sit(phase, random)
    side: Side = SIDES[random.integers(2)]
    to_the_left = 1 if side == "L" else -1
    stroke = 10 * np.sin(2 * np.pi * phase)
    angles = sitting.angles | hind_leg(
        side, 118 + random.normal(0, 5), 60 + stroke, 30 + stroke, random.uniform(20, 50)
    )
    angles |= spine(flexion=30, bend=20 * to_the_left) | head(30, 35 * to_the_left, 0, 20 * to_the_left)
    return Posture(angles, sitting.pitch, random.normal(0, 5))


def _shake_paw(phase: float, random: np.random.Generator) -> Posture:
    sitting = _sit(phase, random)
    side: Side = SIDES[random.integers(2)]
    raised = fore_leg(
        side, random.uniform(-10, 40), random.uniform(10, 60), random.uniform(0, 50), random.uniform(0, 15)
    )
    return Posture(sitting.angles | raised, sitting.pitch)


def _play_bow(phase: float, random: np.random.Generator) -> Posture:
    pitch = -random.uniform(15, 32)
    angles: Angles = {}
    for side in SIDES:
        angles |= fore_leg(
            side, forward=20 + random.normal(0, 8), elbow=random.uniform(50, 85), out=random.uniform(0, 10)
        )
        angles |= hind_leg(
            side,
            forward=-pitch + random.normal(0, 6),
            knee=random.uniform(-5, 15),
            hock=random.uniform(-5, 15),
        )
    angles |= spine(flexion=-random.uniform(10, 50)) | head(random.uniform(-40, 10), random.normal(0, 12))
    return Posture(angles | tail(lifted=random.uniform(5, 14), wagged=random.normal(0, 8)), pitch)


def _stalk(phase: float, random: np.random.Generator) -> Posture:
    walking = PROGRAMS["walk"](phase, random)
    angles = dict(walking.angles)
    for side in SIDES:
        crouch = random.uniform(25, 50)
        for hinge, more in (
            fore_leg(side, forward=-0.6 * crouch, elbow=crouch * 1.3)
            | hind_leg(side, forward=0.8 * crouch, knee=1.2 * crouch, hock=crouch)
        ).items():
            angles[hinge] = angles.get(hinge, 0.0) + more
    return Posture(
        angles | head(random.uniform(50, 85), random.normal(0, 10), random.uniform(0, 10)),
        random.normal(0, 4),
    )


def _leap(phase: float, random: np.random.Generator) -> Posture:
    angles: Angles = {}
    for side in SIDES:
        angles |= fore_leg(
            side, forward=random.uniform(15, 55), elbow=random.uniform(-20, 40), wrist=random.uniform(0, 60)
        )
        angles |= hind_leg(
            side,
            forward=-random.uniform(20, 55),
            knee=random.uniform(-5, 30),
            hock=random.uniform(-15, 15),
            toes=30,
        )
    angles |= spine(flexion=-random.uniform(0, 30)) | head(random.uniform(-10, 40), random.normal(0, 10))
    return Posture(
        angles | tail(random.uniform(-2, 10), random.normal(0, 4)),
        random.uniform(-35, 40),
        random.normal(0, 8),
    )


def _howl(phase: float, random: np.random.Generator) -> Posture:
    calm = (_sit if random.random() < 0.5 else _stand)(phase, random)
    up = head(
        lowered=-random.uniform(45, 70), turned=random.normal(0, 10), nod=-random.uniform(10, 30), mouth=20
    )
    return Posture(calm.angles | up, calm.pitch)


def _stretch(phase: float, random: np.random.Generator) -> Posture:
    angles: Angles = {}
    for side in SIDES:
        angles |= fore_leg(side, forward=random.uniform(-10, 10), elbow=random.uniform(-10, 5))
        angles |= hind_leg(
            side, forward=-random.uniform(25, 45), knee=random.uniform(-8, 5), hock=random.uniform(-15, 0)
        )
    angles |= spine(flexion=-random.uniform(10, 40)) | head(-random.uniform(0, 50), random.normal(0, 10))
    return Posture(angles | _idle_tail(random), random.uniform(0, 12))


def _look_back(phase: float, random: np.random.Generator) -> Posture:
    standing = _stand(phase, random)
    side = random.choice([-1, 1])
    turned = head(
        random.uniform(0, 60),
        side * random.uniform(60, 100),
        random.normal(0, 8),
        side * random.uniform(0, 40),
    )
    return Posture(
        standing.angles | spine(bend=side * random.uniform(20, 60), twist=random.normal(0, 8)) | turned,
        standing.pitch,
    )


def _looking(random: np.random.Generator, lowered: float = 0.0) -> Angles:
    return head(
        lowered=lowered + random.uniform(-20, 60),
        turned=random.normal(0, 30),
        nod=random.normal(0, 8),
        tilted=random.normal(0, 12),
        mouth=random.uniform(-10, 18),
    )


def _idle_tail(random: np.random.Generator) -> Angles:
    return tail(lifted=random.uniform(-6, 12), wagged=random.normal(0, 5), curled=random.uniform(-4, 8))


PROGRAMS: Mapping[str, Program] = MappingProxyType(
    {
        "walk": _gait((0.0, 0.25, 0.5, 0.75), duty=0.62, fore=24, hind=25, lift=35),
        "amble": _gait((0.0, 0.18, 0.5, 0.68), duty=0.5, fore=30, hind=30, lift=45),
        "trot": _gait((0.0, 0.5, 0.5, 0.0), duty=0.45, fore=32, hind=32, lift=55),
        "pace": _gait((0.0, 0.05, 0.5, 0.55), duty=0.45, fore=30, hind=30, lift=45),
        "gallop": _gait((0.0, 0.55, 0.1, 0.65), duty=0.3, fore=48, hind=45, lift=70, flexion=45),
        "canter": _gait((0.0, 0.3, 0.3, 0.6), duty=0.4, fore=38, hind=36, lift=60, flexion=20),
        "bound": _gait((0.0, 0.5, 0.03, 0.53), duty=0.3, fore=45, hind=50, lift=65, flexion=55),
        "stand": _stand,
        "sit": _sit,
        "lie": _lie,
        "lie-on-the-side": _lie_on_the_side,
        "roll-over": _roll_over,
        "beg": _beg,
        "rear-up": _rear_up,
        "sniff": _sniff,
        "scratch": _scratch,
        "shake-paw": _shake_paw,
        "play-bow": _play_bow,
        "stalk": _stalk,
        "leap": _leap,
        "howl": _howl,
        "stretch": _stretch,
        "look-back": _look_back,
    }
)
"""Every program by name."""

TEST_PROGRAMS = ("trot", "canter", "shake-paw", "play-bow", "stalk")
VALIDATION_PROGRAMS = ("pace", "beg", "howl", "stretch")
TRAIN_PROGRAMS = tuple(name for name in PROGRAMS if name not in (*TEST_PROGRAMS, *VALIDATION_PROGRAMS))
