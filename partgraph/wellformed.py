"""Do the fields of a problem fit together? Asked once, when a `Problem` is made, and answered in users' names.

Only counts, shapes and types are looked at here: that costs microseconds and needs no answer from a GPU. Numbers
are looked at once per solution, by `partgraph.solve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from partgraph import arrays
from partgraph.candidates import Candidates
from partgraph.errors import ProblemError
from partgraph.graph import Graph
from partgraph.potentials import Potential

if TYPE_CHECKING:
    from partgraph.problem import Problem


def check_graph(_: Any, __: Any, graph: Any) -> None:
    """Raise unless `graph` is a graph of ours; networkx's own are passed by mistake."""
    if not isinstance(graph, Graph):
        found = type(graph)
        raise ProblemError(
            "graph must be a partgraph.Graph, as Topology.from_networkx makes one; "
            f"found {found.__module__}.{found.__qualname__}"
        )


def check_counts(problem: Problem) -> None:
    """Raise unless there is one entry per part or edge in every field."""
    n, e = len(problem.graph.parts), len(problem.graph.edges)
    for field, items, count, what in (
        ("candidates", problem.candidates, n, "part"),
        ("unary", problem.unary, n, "part"),
        ("pairwise", problem.pairwise, e, "edge"),
        ("anchors", problem.anchors, e, "edge"),
    ):
        if len(items) != count:
            raise ProblemError(
                f"{field} must have one entry per {what}: the graph has {count}, found {len(items)}"
            )


def check_parts(problem: Problem) -> None:
    """Raise unless every part has candidates of the same dimension, with scores, and proper unary terms."""
    names = problem.graph.parts
    for name, own, terms in zip(names, problem.candidates, problem.unary, strict=True):
        if not isinstance(own, Candidates):
            raise ProblemError(f"part {name!r}: expected Candidates(positions, scores); found {own!r}")
        shape = tuple(own.positions.shape)
        if len(shape) != 2 or 0 in shape:
            raise ProblemError(
                f"part {name!r}: positions must have shape (K, D) with at least one candidate; found {shape}"
            )
        if shape[1] != problem.dimensions:
            raise ProblemError(
                f"part {name!r}: positions have {shape[1]} dimensions, those of {names[0]!r} have "
                f"{problem.dimensions}; all parts must live in the same space"
            )
        if tuple(own.scores.shape) != shape[:1]:
            raise ProblemError(
                f"part {name!r}: scores must have shape {shape[:1]}, one per candidate; "
                f"found {tuple(own.scores.shape)}"
            )
        for term in terms:
            check_term(term, 1, f"part {name!r}", problem.dimensions)


def check_edges(problem: Problem) -> None:
    """Raise unless every edge has a proper pairwise term, and anchors that fit its first part."""
    graph = problem.graph
    for e, (term, anchors) in enumerate(zip(problem.pairwise, problem.anchors, strict=True)):
        where = f"edge {graph.edge_name(e)}"
        check_term(term, 2, where, problem.dimensions)
        first = graph.edges[e][0]
        expected = tuple(problem.candidates[first].positions.shape)
        if anchors is not None and tuple(anchors.shape) != expected:
            raise ProblemError(
                f"{where}: anchors must have shape {expected}, one per candidate of {graph.parts[first]!r}; "
                f"found {tuple(anchors.shape)}"
            )


def check_term(term: Any, arity: int, where: str, dimensions: int) -> None:
    """Raise unless `term` is a potential of this arity for positions with this many axes."""
    kind = {1: "Unary", 2: "Pairwise"}[arity]
    if not isinstance(term, Potential) or term.arity != arity:
        raise ProblemError(f"{where}: expected an instance of {kind}; found {term!r}")
    if term.dimensions not in (None, dimensions):
        raise ProblemError(
            f"{where}: {type(term).__name__} is made for positions with {term.dimensions} dimensions; "
            f"these have {dimensions}"
        )


def check_labels(problem: Problem, labels: Any) -> np.ndarray:
    """Return labels as an array if they are one candidate of each part; raise otherwise."""
    labels = labels.cpu().numpy() if arrays.is_tensor(labels) else np.asarray(labels)
    n = len(problem.graph.parts)
    if labels.shape[-1:] != (n,) or labels.dtype.kind not in "iu":
        raise ProblemError(
            f"labels must be whole numbers of shape (..., {n}), one per part; "
            f"found {labels.dtype} of shape {labels.shape}"
        )
    if labels.size:
        rows = labels.reshape(-1, n)
        lowest, highest = rows.min(axis=0).tolist(), rows.max(axis=0).tolist()
        for part, size, low, high in zip(problem.graph.parts, problem.sizes, lowest, highest, strict=True):
            if not 0 <= low <= high < size:
                raise ProblemError(
                    f"labels of part {part!r} must lie between 0 and {size - 1}; found {low} to {high}"
                )
    return labels
