"""What a figure wears: skin, hair, shirt, trousers and shoes of random cut and pattern."""

from __future__ import annotations

import functools

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.rendering import muted_colors
from partgraph_humanpose.figure.body import BodyModel

_SKIN_TONES = np.array([[0.93, 0.76, 0.65], [0.82, 0.61, 0.47], [0.63, 0.43, 0.31], [0.40, 0.27, 0.20]])


def clothes(body: BodyModel, random: np.random.Generator) -> NDArray[np.float64]:
    """Colour (F, 3) of every face of the body, RGB in [0, 1]."""
    surface = _surface(body)
    position, region, bone = surface.position, surface.region, surface.bone

    skin = _SKIN_TONES[random.integers(len(_SKIN_TONES))] * random.uniform(0.85, 1.1)
    skin = np.clip(skin + random.normal(0, 0.02, 3), 0, 1)
    trousers, shirt, shoes = muted_colors(random, 3)
    color = np.array([skin, trousers, shirt, shoes])[region]

    sleeve = random.uniform(abs(bone["upperarm01.L"][0]), abs(bone["wrist.L"][0]))
    color[surface.arm & (np.abs(position[:, 0]) < sleeve)] = shirt
    hem = random.uniform(bone["foot.L"][2], bone["upperleg01.L"][2])
    color[(region == 1) & (position[:, 2] < hem)] = skin
    face_front = bone["head"][1] - 0.02
    hairline = bone["head"][2] + random.uniform(0.0, 0.12)
    hair = surface.head & (position[:, 2] > hairline) & (position[:, 1] > face_front)
    hair |= surface.head & (position[:, 2] > bone["head"][2] + 0.11)
    if random.random() < 0.9:
        color[hair] = random.uniform(0.02, 0.75) * np.array([1.0, 0.82, 0.6])

    for cloth in (1, 2):  # stripes or a weave on trousers and shirt
        if random.random() < 0.35:
            axis, period = random.integers(0, 3), random.uniform(0.02, 0.12)
            stripe = (position[:, axis] / period % 1 < random.uniform(0.2, 0.8)) & (region == cloth)
            color[stripe] = muted_colors(random, 1)[0]
    return np.clip(color + random.normal(0, random.uniform(0, 0.04), (len(color), 1)), 0, 1)


@attrs.frozen(eq=False)
class _Surface:
    """Where every face lies on the body at rest; the same for all figures.

    Attributes
    ----------
    position : (F, 3) float32, m
    region : (F,) uint8, as `BodyModel.region`
    arm, head : (F,) bool
    bone : head of each bone, (3,) float32, m
    """

    position: NDArray[np.float32]
    region: NDArray[np.uint8]
    arm: NDArray[np.bool_]
    head: NDArray[np.bool_]
    bone: dict[str, NDArray[np.float32]]


@functools.cache
def _surface(body: BodyModel) -> _Surface:
    rest, heads = body.rest(np.zeros(len(body.components)))
    first = body.faces[:, 0]
    owner = np.array(body.bones)[body.skin[first].argmax(1)]
    return _Surface(
        position=rest[body.faces].mean(1),
        region=body.region[first],
        arm=np.char.startswith(owner, "upperarm") | np.char.startswith(owner, "lowerarm"),
        head=owner == "head",
        bone=dict(zip(body.bones, heads, strict=True)),
    )
