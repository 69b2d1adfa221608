"""A smallest set of parts that touches every link: the centers of the fewest stars.

Finding one is hard in general (Karp, 1972), and quick for graphs of parts. Branch on a part with most open links:
either it is in the set, or all its neighbours are. k more parts touch at most k times as many links as that part does,
which bounds what a branch can reach. Of a link whose one part has no other, the other part is always a best choice.
"""

from __future__ import annotations

from collections.abc import Iterable

TRIES = 20_000
"""Branches that are looked at, at most; if that is too few for a proof, the smallest set found is taken."""


def vertex_cover(parts: int, links: Iterable[tuple[int, int]]) -> set[int]:
    """Return the indices of few parts that touch every link, the fewest unless `TRIES` is reached."""
    neighbours = [0] * parts  # sets of parts as bits
    for i, j in links:
        neighbours[i] |= 1 << j
        neighbours[j] |= 1 << i
    best = (1 << parts) - 1
    branches = [(best, 0)]  # parts not decided, parts in the set
    for _ in range(TRIES):
        if not branches:
            break
        undecided, chosen = _without_leaves(neighbours, *branches.pop())
        degree = {part: (neighbours[part] & undecided).bit_count() for part in _parts(undecided)}
        part = max(degree, key=lambda part: (degree[part], -part), default=0)
        most = degree.get(part, 0)
        needed = -(-sum(degree.values()) // (2 * most)) if most else 0
        if chosen.bit_count() + needed >= best.bit_count():
            continue
        if not most:
            best = chosen
            continue
        rest, own = undecided & ~(1 << part), neighbours[part] & undecided
        branches.append((rest & ~own, chosen | own))
        branches.append((rest, chosen | 1 << part))  # looked at first
    return set(_parts(best))


def _without_leaves(neighbours: list[int], undecided: int, chosen: int) -> tuple[int, int]:
    """Choose the neighbours of parts with a single open link, as long as there are any."""
    changed = True
    while changed:
        changed = False
        for part in _parts(undecided):
            own = neighbours[part] & undecided
            if undecided >> part & 1 and own.bit_count() == 1:
                chosen |= own
                undecided &= ~(own | 1 << part)
                changed = True
    return undecided, chosen


def _parts(bits: int) -> list[int]:
    return [part for part in range(bits.bit_length()) if bits >> part & 1]
