"""What every graph must do: split into stars that miss no edge and no part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from partgraph.graph import Graph, Topology
from partgraph.problem import Problem
from partgraph.testing import strategies


def check_parts_and_edges_are_well_formed(graph: Graph) -> None:
    """Names are distinct, and edges are distinct ordered pairs of different parts."""
    Topology(graph.parts, graph.edges)  # raises otherwise, with the reason


def check_stars_partition_the_edges(graph: Graph) -> None:
    """Every edge is in exactly one star."""
    count = Counter(edge for star in graph.stars() for edge in star.edges)
    for edge in range(len(graph.edges)):
        assert count[edge] == 1, f"edge {graph.edge_name(edge)} is in {count[edge]} stars, not in one"
    assert set(count) == set(range(len(graph.edges))), "a star has an edge that the graph has not"


def check_stars_cover_every_part(graph: Graph) -> None:
    """Every part is in a star, a lone part in one without leaves."""
    for part, count in zip(graph.parts, graph.multiplicity(), strict=True):
        assert count >= 1, f"part {part!r} is in no star; its score would be lost"


def check_edges_touch_their_center(graph: Graph) -> None:
    """A star's edges join its center with its leaves, and all of them."""
    for star in graph.stars():
        ends = [graph.edges[edge] for edge in star.edges]
        name = graph.parts[star.center]
        assert all(star.center in end for end in ends), (
            f"the star of {name!r} has an edge that does not touch it"
        )
        others = {part for end in ends for part in end} - {star.center}
        assert sorted(star.leaves) == sorted(others), (
            f"the leaves of the star of {name!r} are not its edges' ends"
        )


def check_networkx_round_trip(graph: Graph) -> None:
    """The graph comes back from networkx with the same parts and edges, in the same order."""
    back = Topology.from_networkx(graph.to_networkx())
    assert (back.parts, back.edges) == (tuple(graph.parts), tuple(graph.edges)), "networkx changed the graph"


def check_slave_scores_add_up(graph: Graph) -> None:
    """For any configuration the scores of the stars' problems add up to the problem's."""

    @settings(deadline=None)
    @given(st.data())
    def on(data: st.DataObject) -> None:
        drawn = data.draw(strategies.problems(graph=st.just(Topology(graph.parts, graph.edges)), max_size=3))
        problem = Problem(graph, drawn.candidates, drawn.pairwise, drawn.unary, drawn.anchors)
        labels = np.array([data.draw(st.integers(0, size - 1)) for size in problem.sizes])
        parts = [problem.restrict(star).score(labels[list(star.parts)]) for star in graph.stars()]
        np.testing.assert_allclose(sum(parts), problem.score(labels), rtol=1e-9, atol=1e-6)

    on()


CHECKS: tuple[Callable[[Graph], None], ...] = (
    check_parts_and_edges_are_well_formed,
    check_stars_partition_the_edges,
    check_stars_cover_every_part,
    check_edges_touch_their_center,
    check_networkx_round_trip,
    check_slave_scores_add_up,
)
"""All checks of a graph."""
