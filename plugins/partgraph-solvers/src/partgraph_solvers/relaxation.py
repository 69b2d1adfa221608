"""An upper bound from stars that share the score, and messages that move score between them.

Every star s of a graph has a share of the score, and the shares of a configuration add up to its score:

    S(Phi) = sum_s S_s(Phi_s),
    S_s = its edges' terms + sum over its parts r of  theta_s(r, Phi(r)) + <lambda_s(r), Phi(r)>

with tables theta and slopes lambda that add up, over the stars of a part, to the part's own scores. Hence

    B = sum_s max S_s  >=  max S,    and    d_s(r, v) = max S_s - max { S_s : Phi(r) = v }

is what a configuration with candidate v of part r lacks at least. Where d_s(r, v) > B - T, it cannot score T, and v
is dropped. Where v stays, d_s may be handed on: with weights w_r that sum to at most one over the parts of s,

    theta_s(r, v) += w_r d_s(r, v),      theta_t(r, v) -= w_r d_s(r, v)     for a star t that comes later,

leaves max S_s as it is, since d_s(r, Phi(r)) <= max S_s - S_s(Phi) for every r, lowers max S_t, and changes no sum.
One star after the other, forward and backward in turn: sequential tree-reweighted message passing (TRW-S,
Kolmogorov, 2006) with stars in place of edges, which needs no tables of pairs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from partgraph import Quadratic, Star
from partgraph_solvers.clock import Clock
from partgraph_solvers.compiled import BlockSet
from partgraph_solvers.remainder import Remainder
from partgraph_solvers.subproblems import Subproblem, Table, subproblem


class Relaxation:
    """Stars, their tables, and what is left of the candidates.

    Attributes
    ----------
    rest : Remainder
        What is left.
    stars : tuple of Star
        They partition the edges and hold every part.
    shares : list of float
        Upper bounds of max S_s, reached but for rounding when star s was solved last; inf before.
    """

    def __init__(
        self,
        rest: Remainder,
        stars: Sequence[Star],
        slopes: Sequence[np.ndarray],
        blocks: BlockSet,
        subproblems: Sequence[Subproblem],
        clock: Clock,
    ) -> None:
        self.rest, self.stars, self.clock = rest, tuple(stars), clock
        self.shares = [np.inf] * len(stars)
        self._slopes, self._blocks = slopes, blocks
        self._subproblems: list[Subproblem | None] = list(subproblems)
        self._places: list[list[tuple[int, int]]] = [
            [] for _ in rest.sizes
        ]  # stars of a part, its number there
        for s, star in enumerate(stars):
            for slot, part in enumerate(star.parts):
                self._places[part].append((s, slot))
        equal = [
            Table(own.scores / len(places)) for own, places in zip(rest.candidates, self._places, strict=True)
        ]
        self._tables = [[equal[part] for part in star.parts] for star in stars]
        # For `rounding`: how many summands there are, how large, and how large coordinates are for quadratics' widths.
        self._summands = (
            8.0 + len(rest.sizes) + len(rest.pairwise) + 3 * rest.dimensions * sum(map(len, self._places))
        )
        self._magnitude = sum(abs(float(own.scores.max())) for own in rest.candidates)
        reach = np.array([_reach(own.positions) for own in rest.candidates])
        for star, own, found in zip(stars, slopes, subproblems, strict=True):
            sizes = np.abs(own).sum(axis=1)
            self._magnitude += float(sizes @ reach[list(star.parts)]) + found.largest
            for e in star.edges:  # the compiled search absorbs slopes from anchors, and takes them away
                anchors, first = rest.anchors[e], rest.graph.edges[e][0]
                if anchors is not None and first != star.center:
                    self._magnitude += 2 * float(sizes[star.parts.index(first)]) * _reach(anchors)
        self._reach = sum(
            _quadratic_reach(rest, e, reach, np.abs(own).sum(axis=0))
            for star, own in zip(stars, slopes, strict=True)
            for e in star.edges
        )

    @property
    def bound(self) -> float:
        """No configuration scores more, but for rounding."""
        return sum(self.shares)

    @property
    def pairs(self) -> int:
        """How many pairs of candidates the edges join."""
        return self.rest.pairs

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many candidates of each part are left: (N,)."""
        return self.rest.sizes

    @property
    def labels(self) -> tuple[np.ndarray, ...]:
        """Which candidates of each part are left: N entries, (K_i,) intp, ascending."""
        return self.rest.labels

    def rounding(self, score: float) -> float:
        """Bound the rounding error of all shares, and of a score of the problem, together.

        The positive summands of a configuration worth having are at most M, the sum of all |maxima|, so that all
        summands' sizes add up to G = |score| + 2 M at most. Adding n of them in any order errs by n G u, u = 2^-53,
        the messages worked into tables included: of those a star sends one per part and turn. A square w (q - y)^2,
        with coordinates rounded by at most delta = 4 u (|q| + |y|), errs by 2 sqrt(w G) sqrt(w) delta + w delta^2.
        The margin is four times the sum, and never zero: searches for a score of at least some number may need to
        start a little below it.
        """
        u, g = 2.0**-53, abs(score) + 2 * self._magnitude
        errors = self._summands * g + 8 * g**0.5 * self._reach + 16 * u * self._reach**2
        return 4 * u * errors + float(np.finfo(float).tiny)

    def solve_all(self) -> list[list[int]]:
        """Maximise every share; return the labels of each star's parts."""
        found = []
        for s, tables in enumerate(self._tables):
            labels, bound = self._star(s).maximum(tables, self.clock)
            self.shares[s] = min(self.shares[s], bound)
            found.append(labels)
        return found

    def drop(self, s: int, score: float, ahead: Collection[int]) -> None:
        """Drop what star `s` shows to be in no configuration of this score.

        What the other candidates lack is handed on to the stars `ahead`.
        """
        others = self.bound - self.shares[s]
        found = self._star(s).marginals(
            self._tables[s], score - others - 2 * self.rounding(score), self.clock
        )
        self.shares[s] = min(self.shares[s], float(found[0][1].max()))  # which is the highest with any center
        parts = self.stars[s].parts
        self.keep({part: labels for part, (labels, _) in zip(parts, found, strict=True)})
        later = {part: [place for place in self._places[part] if place[0] in ahead] for part in parts}
        receivers = sum(map(bool, later.values()))
        senders = sum(any(t != s and t not in ahead for t, _ in self._places[part]) for part in parts)
        weight = 1.0 / max(receivers, senders, 1)
        for slot, (part, (_, values)) in enumerate(zip(parts, found, strict=True)):
            if later[part] and len(values) > 1:
                message = weight * np.maximum(self.shares[s] - values, 0.0)
                self._add(s, slot, message)
                for t, place in later[part]:
                    self._add(t, place, message / -len(later[part]))
                self._magnitude += float(message.max())
        self._summands += 1

    def keep(self, kept: Mapping[int, np.ndarray]) -> None:
        """Keep these candidates of some parts only."""
        sizes = self.rest.sizes
        kept = {part: labels for part, labels in kept.items() if len(labels) < sizes[part]}
        if not kept:
            return
        self._blocks = self._blocks.without(self.rest.candidates[part].positions for part in kept)
        self.rest = self.rest.only(kept)
        for part, labels in kept.items():
            narrowed: dict[int, Table] = {}  # stars share a table until the first message
            for s, slot in self._places[part]:
                table = self._tables[s][slot]
                if id(table) not in narrowed:
                    narrowed[id(table)] = Table(table.values[labels])
                self._tables[s][slot] = narrowed[id(table)]
                self._subproblems[s] = None

    def rounded(self, first: int) -> list[int]:
        """Return a configuration, (N,) labels of what is left, from the best of one star.

        Then those of the others follow, each time the one with most of its parts labelled, and keep their labels.
        """
        labels: dict[int, int] = {}
        waiting = set(range(len(self.stars)))
        s = first
        while waiting:
            waiting.remove(s)
            parts = self.stars[s].parts
            if not all(part in labels for part in parts):
                tables = [
                    table.at(labels[part]) if part in labels else table
                    for part, table in zip(parts, self._tables[s], strict=True)
                ]
                found, _ = self._star(s).maximum(tables, self.clock)
                for part, label in zip(parts, found, strict=True):
                    labels.setdefault(part, label)
            s = max(sorted(waiting), key=lambda t: self._known(t, labels), default=s)
        return [labels[part] for part in range(len(self._places))]

    def _known(self, s: int, labels: Collection[int]) -> float:
        parts = self.stars[s].parts
        return sum(part in labels for part in parts) / len(parts)

    def _add(self, s: int, slot: int, message: np.ndarray) -> None:
        self._tables[s][slot] = Table(self._tables[s][slot].values + message)

    def _star(self, s: int) -> Subproblem:
        own = self._subproblems[s]
        if own is None:
            own = self._subproblems[s] = subproblem(self.rest, self.stars[s], self._slopes[s], self._blocks)
        return own


def _quadratic_reach(rest: Remainder, edge: int, reach: np.ndarray, slope: np.ndarray) -> float:
    """Return the largest coordinates that an edge's term compares, times the roots of its weights; 0 if not quadratic.

    Where the compiled search absorbs a slope it moves the offset by slope / (2 weight).
    """
    term, (i, j), anchors = rest.pairwise[edge], rest.graph.edges[edge], rest.anchors[edge]
    if not isinstance(term, Quadratic):
        return 0.0
    far = (reach[i] if anchors is None else _reach(anchors)) + reach[j]
    return float(np.sqrt(term.weight) @ (far + np.abs(term.offset) + slope / (2 * term.weight)))


def _reach(points: np.ndarray) -> float:
    """Return the largest coordinate, in size."""
    return max(float(points.max()), -float(points.min()))
