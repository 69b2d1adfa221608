"""A structured prediction problem as an immutable value: a graph, candidates for its parts, terms on both.

Its score is eq. 2 of the paper,

    S(phi) = sum_i U_i(phi_i) + sum_(i,j) P_ij(phi_i, phi_j),

where U_i is the candidate's own score plus any extra unary potentials. Fields may be NumPy arrays or torch
tensors. Solve ``problem.detach()``; score the labels found on the original, and gradients flow.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Literal, final

import attrs
import numpy as np

from partgraph import arrays, wellformed
from partgraph.arrays import Array
from partgraph.candidates import Candidates
from partgraph.covers import Cover
from partgraph.errors import ProblemError
from partgraph.graph import Graph, Star, Topology
from partgraph.heatmaps import Heatmaps, Values
from partgraph.heatmaps import field as heatmap_field
from partgraph.potentials import Potential, Quadratic, Scaled
from partgraph.pruning import possible
from partgraph.scoring import picked, score

__all__ = ["Candidates", "Problem"]


def _tuple(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(items)


def _tuples(items: Iterable[Iterable[Any]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(map(tuple, items))


def _arrays(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(None if item is None else arrays.as_array(item) for item in items)


@final
@attrs.frozen(eq=False)
class Problem:
    """Choose one candidate per part so that the score is highest.

    Where any array is a tensor, all of them become tensors, with the dtype and device of the first one found.

    Attributes
    ----------
    graph : Graph
        N parts and E edges.
    candidates : tuple of Candidates
        N entries; part i has K_i candidates in D dimensions.
    pairwise : tuple of Potential
        E entries of arity 2, the term of each edge.
    unary : tuple of tuple of Potential
        N entries, each a possibly empty tuple of terms of arity 1, added to the candidates' own scores. () stands
        for none.
    anchors : tuple of (array, tensor or None)
        E entries. For edge e = (i, j) either None, or (K_i, D) float, length: the position that stands for the
        candidate of part i in this edge's term, in place of the candidate's own. () stands for none.
    is_detached : bool
        Whether all arrays are contiguous float64 NumPy already; looked at once, since every solver asks.

    Raises
    ------
    ProblemError
        If counts or shapes do not fit; the message has the names of the parts concerned.
    """

    graph: Graph = attrs.field(validator=wellformed.check_graph)
    candidates: tuple[Candidates, ...] = attrs.field(converter=_tuple)
    pairwise: tuple[Potential, ...] = attrs.field(converter=_tuple, default=())
    unary: tuple[tuple[Potential, ...], ...] = attrs.field(converter=_tuples, default=())
    anchors: tuple[Array | None, ...] = attrs.field(converter=_arrays, default=())
    is_detached: bool = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.unary:
            object.__setattr__(self, "unary", ((),) * len(self.graph.parts))
        if not self.anchors:
            object.__setattr__(self, "anchors", (None,) * len(self.graph.edges))
        wellformed.check_counts(self)
        wellformed.check_parts(self)
        wellformed.check_edges(self)
        _unify(self)

    @classmethod
    def from_heatmaps(
        cls,
        heatmaps: Array,
        graph: Graph,
        pairwise: Iterable[Potential],
        *,
        values: Values = "score",
        origin: Any = None,
        spacing: Any = None,
        affine: Any = None,
        residuals: Array | None = None,
        offsets: Array | None = None,
        unary: Iterable[Iterable[Potential]] = (),
        keep: int | Literal["provable"] | None = None,
    ) -> Problem:
        """Return the problem of maps that a network gave its parts, with one candidate per pixel or voxel.

        Gradients flow into maps, residuals and offsets that are tensors. Candidates are in the maps' order, x fastest.

        Parameters
        ----------
        heatmaps : array or tensor
            (N, Y, X) or (N, Z, Y, X) float, a map for each part; -inf forbids.
        graph : Graph
            N parts and E edges.
        pairwise : sequence of Potential
            E terms, in the unit of positions; `partgraph.topologies.quadratics` makes them from poses.
        values : str
            ``"score"``: maps hold scores, taken as they are. ``"probability"``: their logarithm is taken.
            ``"logit"``: the logarithm of their sigmoid is taken.
        origin : float or (D,) float
            Position of the middle of the first pixel or voxel, length, as all vectors here x first; 0 by default.
        spacing : float or (D,) float
            From one pixel or voxel to the next, length; 1 by default.
        affine : (D, D + 1) or (D + 1, D + 1) float
            Instead of both: from index (x, y, z, 1) to position.
        residuals : array or tensor, optional
            ``(N, D, *grid)`` float, length: added to the position of every candidate.
        offsets : array or tensor, optional
            ``(E, D, *grid)`` float, length: where an edge's second part is expected, relative to its first part's
            candidate in that pixel or voxel. They become anchors.
        unary : sequence of sequences of Potential
            As in a problem.
        keep : int, "provable" or None
            None keeps all candidates: exact. ``"provable"`` drops those that a bound proves not to be in a best
            configuration: exact for that, not for the n best after it. A number keeps as many of each part, those
            with the highest scores: not exact, the best configuration may be lost.

        Raises
        ------
        ProblemError
            If numbers, shapes or counts do not fit; the message says which.
        """
        if not (keep in (None, "provable") or (type(keep) is int and keep > 0)):
            raise ProblemError(f"keep must be None, 'provable' or a number of at least 1; found {keep!r}")
        wellformed.check_graph(None, None, graph)  # before its parts are asked for
        maps = Heatmaps.of(
            heatmaps,
            graph.parts,
            values=values,
            origin=origin,
            spacing=spacing,
            affine=affine,
            residuals=residuals,
        )
        anchors: tuple[Array, ...] = ()
        if offsets is not None:
            own = heatmap_field(offsets, len(graph.edges), maps.shape, "offsets", "edge")
            anchors = tuple(maps.positions[i] + one for (i, _), one in zip(graph.edges, own, strict=True))
        problem = cls(graph, maps.candidates(), pairwise, unary, anchors)
        if keep is None:
            return problem
        return problem.only(maps.best(keep)) if isinstance(keep, int) else problem.pruned()

    @functools.cached_property
    def quadratics(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Weights and offsets of all edges, (E, D) float64 each, if the problem is detached and every term `Quadratic`.

        Hundreds of small arrays cost more to look at than two.
        """
        terms = self.pairwise
        if not terms or not self.is_detached or any(type(term) is not Quadratic for term in terms):
            return None
        fields: Any = terms
        return np.array([term.weight for term in fields]), np.array([term.offset for term in fields])

    @property
    def dimensions(self) -> int:
        """D, the number of axes of a position."""
        return self.candidates[0].positions.shape[1]

    @property
    def sizes(self) -> tuple[int, ...]:
        """K_i for every part: (N,)."""
        return tuple([own.positions.shape[0] for own in self.candidates])

    def unary_scores(self, part: int) -> Array:
        """Return U_i for every candidate of `part`, extra terms included: (K_i,) float."""
        own = self.candidates[part]
        scores = own.scores
        for term in self.unary[part]:
            scores = scores + term.evaluate(own.positions)
        return scores

    def anchor(self, edge: int) -> Array:
        """Return the positions that stand for the candidates of the edge's first part: (K_i, D) float, length."""
        anchors = self.anchors[edge]
        return self.candidates[self.graph.edges[edge][0]].positions if anchors is None else anchors

    def positions(self, labels: Array) -> Array:
        """Return the positions of configurations `labels` (..., N) int: (..., N, D) float, length."""
        labels = wellformed.check_labels(self, labels)
        return picked([own.positions for own in self.candidates], labels)

    def score(self, labels: Array) -> Array:
        """Return the score (eq. 2) of configurations.

        Differentiable in scores, positions, anchors and the potentials' fields where these are tensors.

        Parameters
        ----------
        labels : array
            (..., N) int, the index of a candidate for each part.

        Returns
        -------
        array or tensor
            (...) float, -inf where a candidate is forbidden.
        """
        return score(self, labels)

    def with_unary(self, part: int, *terms: Potential) -> Problem:
        """Return the problem with `terms` added to the unary terms of part number `part`."""
        if not 0 <= part < len(self.unary):
            raise ProblemError(f"part must lie between 0 and {len(self.unary) - 1}; found {part}")
        unary = list(self.unary)
        unary[part] = (*unary[part], *terms)
        return attrs.evolve(self, unary=tuple(unary))

    def only(self, labels: Iterable[Any]) -> Problem:
        """Return the problem with some candidates only.

        Parameters
        ----------
        labels : sequence of array
            N entries (K'_i,) int: which candidates of each part stay, in which order.
        """
        kept = [np.asarray(own, dtype=np.intp) for own in labels]
        return attrs.evolve(
            self,
            candidates=tuple(
                Candidates(own.positions[k], own.scores[k])
                for own, k in zip(self.candidates, kept, strict=True)
            ),
            anchors=tuple(
                None if own is None else own[kept[i]]
                for (i, _), own in zip(self.graph.edges, self.anchors, strict=True)
            ),
        )

    def pruned(self, *, within: float = 0.0) -> Problem:
        """Return the problem without candidates that are proven to be in no best configuration.

        Every configuration that scores at most `within` less than the best stays possible; see `partgraph.pruning`.
        """
        return self.only(possible(self, within=within))

    def with_cover(self, cover: str | Cover) -> Problem:
        """Return the problem on the same graph with other stars; see `partgraph.covers`."""
        return attrs.evolve(self, graph=self.graph.with_cover(cover))

    def restrict(self, star: Star) -> Problem:
        """Return the slave of `star`: its parts (center first), its edges, and its share of the unary terms.

        Scores and unary terms of a part are divided by the number of stars it is in, so that for every
        configuration the slaves' scores add up to the score. Edges keep their direction, anchors and whole terms.
        """
        multiplicity = self.graph.multiplicity()
        number = {part: index for index, part in enumerate(star.parts)}
        graph = Topology(
            [self.graph.parts[part] for part in star.parts],
            [(number[i], number[j]) for i, j in (self.graph.edges[e] for e in star.edges)],
        )
        share = [1.0 / multiplicity[part] for part in star.parts]
        return Problem(
            graph=graph,
            candidates=tuple(
                own if s == 1 else attrs.evolve(own, scores=own.scores * s)
                for own, s in zip((self.candidates[part] for part in star.parts), share, strict=True)
            ),
            pairwise=tuple(self.pairwise[e] for e in star.edges),
            unary=tuple(
                tuple(term if s == 1 else Scaled(s, term) for term in self.unary[part])
                for part, s in zip(star.parts, share, strict=True)
            ),
            anchors=tuple(self.anchors[e] for e in star.edges),
        )

    def detach(self) -> Problem:
        """Return the problem in contiguous float64 NumPy, without history; itself where it already is that."""
        return self if self.is_detached else arrays.map_arrays(arrays.detached, self)


def detached(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems as `Problem.detach` does; terms that several of them share are converted once."""
    return list(arrays.map_arrays(arrays.detached, tuple(problems), {}))


_FIELDS = ("candidates", "pairwise", "unary", "anchors")
"""Those with arrays."""


def _unify(problem: Problem) -> None:
    """Turn every array into a tensor if any is one: operators between the two fail, or lose the gradient."""
    found = [leaf for field in _FIELDS for leaf in arrays.leaves(getattr(problem, field))]
    object.__setattr__(problem, "is_detached", all(map(arrays.is_detached, found)))
    if problem.is_detached:
        return
    tensors = [leaf for leaf in found if arrays.is_tensor(leaf)]
    if 0 < len(tensors) < len(found):
        for field in _FIELDS:
            unified = arrays.map_arrays(
                lambda leaf: leaf if arrays.is_tensor(leaf) else arrays.like(leaf, tensors[0]),
                getattr(problem, field),
            )
            object.__setattr__(problem, field, unified)
