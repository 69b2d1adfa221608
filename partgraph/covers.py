"""How the edges of a graph are divided among stars.

Parts that are coupled are a *link*, whichever way their edges point. A cover gives each link to one of its two parts,
the center of its star; that decides all the stars. They hold every edge once, so slave scores add up to the score
whatever the cover. It decides how many slaves there are, how large, and which copies have to agree.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias, final

import attrs
import numpy as np

from partgraph.errors import ProblemError
from partgraph.vertex_cover import vertex_cover

Edge: TypeAlias = tuple[int, int]

Cover: TypeAlias = Callable[[int, tuple[Edge, ...]], Sequence[int]]
"""From the number of parts and the links (smaller, larger), sorted, to the center of each link: one of its parts.

Covers are hashable, as functions and frozen attrs classes are, and give the same centers whenever they are asked.
"""


@final
@attrs.frozen
class Star:
    """A part, parts it is coupled with, and the edges between them.

    Attributes
    ----------
    center : int
        Index of the part that every edge of the star touches, as its first or its second part.
    leaves : tuple of int
        Indices of the other parts, each once; empty for an isolated part.
    edges : tuple of int
        Indices into the graph's edges. More than leaves where (i, j) and (j, i) are both present.
    """

    center: int
    leaves: tuple[int, ...] = ()
    edges: tuple[int, ...] = ()

    @property
    def parts(self) -> tuple[int, ...]:
        """Indices of the star's parts: the center, then the leaves."""
        return (self.center, *self.leaves)


# -- strategies --------------------------------------------------------------------------------------------------


def greedy(parts: int, links: tuple[Edge, ...]) -> list[int]:
    """Few stars: repeatedly the part with most links that have no center yet, the first one on a tie."""
    center: dict[Edge, int] = {}
    while len(center) < len(links):
        left = [link for link in links if link not in center]
        chosen = int(np.argmax(np.bincount(np.ravel(left), minlength=parts)))
        center |= {link: chosen for link in left if chosen in link}
    return [center[link] for link in links]


def fewest(parts: int, links: tuple[Edge, ...]) -> list[int]:
    """As few stars as possible, the large ones as large as possible.

    Centers are a minimum vertex cover (see `partgraph.vertex_cover` for how long it is looked for).
    """
    centers = vertex_cover(parts, links)
    degree = np.bincount(np.ravel(links).astype(np.intp), minlength=parts)
    return [max(centers & set(link), key=lambda part: (degree[part], -part)) for link in links]


def balanced(parts: int, links: tuple[Edge, ...]) -> list[int]:
    """As few stars as possible, and of these the largest as small as possible."""
    centers = vertex_cover(parts, links)
    return _evenly(parts, [tuple(sorted(centers & set(link))) for link in links])


def every_part(parts: int, links: tuple[Edge, ...]) -> list[int]:
    """Every part a center where there are links enough, the largest star as small as possible."""
    return _evenly(parts, links)


COVERS: Mapping[str, Cover] = MappingProxyType(
    {"greedy": greedy, "fewest": fewest, "balanced": balanced, "every-part": every_part}
)
"""Covers by name."""

DEFAULT = "greedy"


def _evenly(parts: int, choices: Sequence[tuple[int, ...]]) -> list[int]:
    """Choose one part of each link so that the squares of how often parts are chosen have the smallest sum.

    While there is a chain of links along which each may go to the next part, and its last part has at least two links
    fewer than its first, all of the chain are moved by one. Where there is none, the sum is smallest, and so is the
    largest number (Harvey, Ladner, Lovasz and Tamir, 2006: optimal semi-matchings).
    """
    center = [own[0] for own in choices]
    while chain := _chain(parts, choices, center):
        for link, part in chain:
            center[link] = part
    return center


def _chain(parts: int, choices: Sequence[tuple[int, ...]], center: Sequence[int]) -> list[tuple[int, int]]:
    """Return links with the parts they are to go to; none where that helps no more."""
    count = np.bincount(np.asarray(center, dtype=np.intp), minlength=parts)
    for start in np.argsort(-count, kind="stable").tolist():
        came: dict[int, tuple[int, int] | None] = {start: None}  # by which link, and from which part
        queue = deque([start])
        while queue:
            part = queue.popleft()
            if count[part] <= count[start] - 2:
                chain = []
                while (step := came[part]) is not None:
                    chain.append((step[0], part))
                    part = step[1]
                return chain
            for link, own in enumerate(choices):
                if center[link] == part:
                    for other in own:
                        if other not in came:
                            came[other] = link, part
                            queue.append(other)
    return []


# -- from names to stars -----------------------------------------------------------------------------------------


def check_cover(_: Any, __: Any, cover: Any) -> None:
    """Raise unless `cover` is a name or a function; a validator of attrs classes."""
    if not (cover in COVERS if isinstance(cover, str) else callable(cover)):
        raise ProblemError(
            f"cover must be {', '.join(map(repr, COVERS))}, or a function from the number of parts and the links to "
            f"each link's center; found {cover!r}"
        )


@functools.lru_cache(maxsize=256)  # several questions on the way to an answer need them
def links_of(edges: tuple[Edge, ...]) -> tuple[Edge, ...]:
    """Return the pairs of parts that edges couple, as (smaller, larger) index, each once, sorted."""
    return tuple(sorted({(min(edge), max(edge)) for edge in edges}))


@functools.lru_cache(maxsize=256)  # a graph is asked for its stars once per slave and image
def stars_of(cover: str | Cover, parts: int, edges: tuple[Edge, ...]) -> tuple[Star, ...]:
    """Return the stars of a cover, those of most links first, then by center; parts without links at the end.

    Raises
    ------
    ProblemError
        If the cover does not give every link one of its own parts.
    """
    links = links_of(edges)
    centers = list((COVERS[cover] if isinstance(cover, str) else cover)(parts, links))
    if len(centers) != len(links):
        raise ProblemError(f"a cover must give each of the {len(links)} links a center; found {len(centers)}")
    for link, center in zip(links, centers, strict=True):
        if center not in link:
            raise ProblemError(
                f"a cover must give the link {link} a center that is one of its parts; found {center!r}"
            )
    center_of = dict(zip(links, map(int, centers), strict=True))
    own: dict[int, list[int]] = {}
    for index, edge in enumerate(edges):
        own.setdefault(center_of[min(edge), max(edge)], []).append(index)
    stars = []
    for center, indices in own.items():
        leaves = dict.fromkeys(sum(edges[index]) - center for index in indices)
        stars.append(Star(center, tuple(leaves), tuple(indices)))
    stars.sort(key=lambda star: (-len(star.leaves), star.center))
    lone = sorted(set(range(parts)).difference(*links))
    return (*stars, *map(Star, lone))
