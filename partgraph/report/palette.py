"""The colours of poses, shared by page and pictures.

Five hues in the order of Okabe and Ito's colour-blind safe set, each in a shade that stands out on paper and one for
dark screens; the truth is a neutral gray. Limbs of the left side are fainter, half way to the paper, so that sides
differ in lightness and not in hue.
"""

from __future__ import annotations

TRUTH = ("#868f96", "#a3acb3")
POSES = (
    ("#d55e00", "#ff8a3c"),  # vermillion
    ("#0072b2", "#56b4e9"),  # blue
    ("#008f68", "#2fc79a"),  # bluish green
    ("#b3568c", "#e08fbf"),  # reddish purple
    ("#a87900", "#e6c229"),  # yellow ochre
)
PAPER = ("#ffffff", "#1c2024")
MAX_POSES = len(POSES)


def fainter(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, half way from a colour written #rrggbb to paper."""
    red, green, blue = ((255 + value) // 2 for value in bytes.fromhex(colour[1:]))
    return red, green, blue


def style_sheet() -> str:
    """The colours as CSS variables --pose-0 (the truth), --pose-1 and on, for light and for dark screens."""
    light, dark = (
        "".join(f"--pose-{index}:{shades[shade]};" for index, shades in enumerate((TRUTH, *POSES)))
        for shade in (0, 1)
    )
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
