"""What a dog wears: the scanned coat in other colours, plain, patched, spotted, saddled or brindled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from partgraph_dogpose.figure.body import DogModel

# Cream, tan, red, liver, chocolate, grey, black and white: what coats are made of.
_FURS = np.array(
    [
        [0.93, 0.86, 0.72],
        [0.80, 0.62, 0.40],
        [0.62, 0.34, 0.16],
        [0.42, 0.26, 0.16],
        [0.25, 0.16, 0.11],
        [0.55, 0.54, 0.53],
        [0.12, 0.11, 0.11],
        [0.95, 0.94, 0.92],
    ]
)
_BELLY, _BACK = 0.40, 0.50  # m, of the dog at rest


def coat(dog: DogModel, random: np.random.Generator) -> NDArray[np.float64]:
    """Colour (F, 3) of every face, RGB in [0, 1]; the eyes, nose and claws of the scan stay dark."""
    position = dog.centers
    light = dog.color @ np.full((3, 1), 1 / 3, np.float32)
    base, other, third = (_fur(random) for _ in range(3))
    color = np.tile(base, (len(position), 1))

    pattern = random.integers(6)
    if pattern == 1:  # patches
        color[_blobs(position, random, cells=random.uniform(0.1, 0.3)) > random.uniform(-0.2, 0.6)] = other
    elif pattern == 2:  # spots
        color[_blobs(position, random, cells=random.uniform(0.03, 0.06)) > random.uniform(0.8, 1.4)] = other
    elif pattern == 3:  # a saddle
        ragged = 0.05 * _blobs(position, random, cells=0.08)
        color[position[:, 2] + ragged > random.uniform(_BELLY, _BACK)] = other
    elif pattern == 4:  # brindle
        stripes = np.sin((position[:, 0] + 0.05 * _blobs(position, random, 0.1)) * random.uniform(100, 250))
        color[stripes > random.uniform(-0.2, 0.6)] = other
    elif pattern == 5:  # the scan's own shades
        color = dog.color * random.uniform(0.6, 1.3) * (0.5 + 0.5 * base / base.max())
    if random.random() < 0.4:  # socks
        color[position[:, 2] < random.uniform(0.05, 0.2)] = third
    if random.random() < 0.35:  # a collar
        along = position @ [0.55, 0, 0.83]
        band = 0.63 + random.uniform(-0.02, 0.03)
        color[(np.abs(along - band) < 0.018) & (position[:, 0] > 0.12)] = random.uniform(0, 1, 3)
    shaded = color * np.clip(0.55 + light, 0.35, 1.1)
    return np.clip(shaded + random.normal(0, random.uniform(0, 0.05), (len(color), 1)), 0, 1)


def _fur(random: np.random.Generator) -> NDArray[np.float64]:
    fur = _FURS[random.integers(len(_FURS))] * random.uniform(0.8, 1.1)
    return np.clip(fur + random.normal(0, 0.03, 3), 0, 1)


def _blobs(position: NDArray[np.float32], random: np.random.Generator, cells: float) -> NDArray[np.float64]:
    """Smooth noise of about unit variance at points (n, 3), with bumps of `cells` metres."""
    waves = 12
    direction = (random.normal(size=(3, waves)) * np.pi / (2 * cells)).astype(np.float32)
    offset = random.uniform(0, 2 * np.pi, waves).astype(np.float32)
    return np.cos(position @ direction + offset) @ np.full(waves, np.sqrt(2 / waves))
