"""As many colours as asked for, of even lightness and far apart in hue."""

from __future__ import annotations

import math

import numpy as np

# From Oklab to the cone responses' cube roots, and from these to linear sRGB (Ottosson, 2020).
_TO_CONES = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
_CHROMA = 0.15


def colours(count: int) -> list[str]:
    """Return colours written #rrggbb; consecutive ones differ most, neighbours in hue also in lightness."""
    step = next((s for s in range(max(1, round(count * 0.4)), count) if math.gcd(s, count) == 1), 1)
    return [
        _colour(250 + 360 * (k * step % count) / count, 0.52 + 0.16 * (k * step % count % 2))
        for k in range(count)
    ]


def _colour(hue: float, lightness: float) -> str:
    angle = math.radians(hue)
    for chroma in np.linspace(_CHROMA, 0, 16):  # less of it until the screen can show it
        cones = _TO_CONES @ [lightness, chroma * math.cos(angle), chroma * math.sin(angle)]
        linear = _TO_RGB @ cones**3
        if linear.min() >= 0 and linear.max() <= 1:
            break
    values = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * value):02x}" for value in np.clip(values, 0, 1))
