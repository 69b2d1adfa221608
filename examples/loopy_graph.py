"""
Your own loopy graph
====================

A chair's seat and back as a networkx graph, by three solvers.

Loops make exact search expensive. `admm` cuts the graph into stars, solves each exactly, and brings them to agree; its
upper bound tells how far its answer can be from the best. `exact` drops candidates by such bounds and searches what is
left, so that its answer is proven. Needs partgraph-solvers. With ``--plot`` the script draws the graph and its stars,
for which matplotlib must be installed.
"""

import sys

import networkx as nx
import numpy as np

from partgraph import Candidates, Problem, Quadratic, Topology, solve

seat = nx.cycle_graph(["front-left", "front-right", "back-right", "back-left"], create_using=nx.DiGraph)
seat.add_edges_from([("front-left", "back-right"), ("back-left", "top-left"), ("back-right", "top-right")])
seat.add_edge("top-left", "top-right")
graph = Topology.from_networkx(seat)
print(
    f"{len(graph.parts)} parts, {len(graph.edges)} edges, a cycle: {', '.join(graph.parts[p] for p in graph.cycle())}"
)
for star in graph.stars():
    print(f"  star of {graph.parts[star.center]}: {', '.join(graph.parts[leaf] for leaf in star.leaves)}")

corners = {
    "front-left": (0, 0, 0),
    "front-right": (45, 0, 0),
    "back-right": (45, 45, 0),
    "back-left": (0, 45, 0),
    "top-left": (0, 50, 50),
    "top-right": (45, 50, 50),
}
truth = np.array([corners[part] for part in graph.parts], float)  # cm


def random_problem(seed: int, size: int = 7) -> Problem:
    """One candidate of each part is near the truth; the others are anywhere, and often look better."""
    rng = np.random.default_rng(seed)
    candidates = []
    for place in truth:
        positions = rng.uniform(-20, 70, (size, 3))
        positions[rng.integers(size)] = place + rng.normal(0, 3, 3)
        candidates.append(Candidates(positions, rng.normal(0, 4, size)))
    weight = np.full(3, 1 / (2 * 15.0**2))
    pairwise = [Quadratic(weight, truth[j] - truth[i]) for i, j in graph.edges]
    return Problem(graph, candidates, pairwise)


equal = 0
for seed in range(10):
    problem = random_problem(seed)
    best = solve(problem, "exhaustive")
    proven, found = solve(problem, "exact"), solve(problem, "admm")
    assert np.array_equal(proven.labels, best.labels)
    equal += bool(np.array_equal(best.labels, found.labels))
    print(
        f"seed {seed}: best {best.scores[0]:7.3f}   admm {found.scores[0]:7.3f} <= {found.upper_bound:7.3f}"
        f" {found.status.name.lower():15}   exact {proven.scores[0]:7.3f} {proven.status.name.lower()}"
    )
    assert found.scores[0] <= best.scores[0] <= found.upper_bound + 1e-9
print(f"admm found the best configuration in {equal} of 10 problems")

if "--plot" in sys.argv:
    import matplotlib.pyplot as plt

    colors = dict.fromkeys(range(len(graph.edges)), "black")
    for number, star in enumerate(graph.stars()):
        colors |= dict.fromkeys(star.edges, f"C{number}")
    places = {part: (x + 0.4 * y, z + 0.3 * y) for part, (x, y, z) in corners.items()}
    edges = graph.to_networkx()
    color = [colors[index] for _, _, index in edges.edges(data="index")]
    nx.draw_networkx(edges, places, edge_color=color, node_color="white", font_size=8)
    plt.axis("off")
    plt.savefig("loopy_graph.png", dpi=150)
    print("loopy_graph.png")
