"""
Your first problem
==================

Three parts of an arm, a few candidates each, and the best configuration.

A network would supply the candidates, their scores and the expected displacements; here they are written by hand.
Runs with the core alone.
"""

import networkx as nx

from partgraph import Candidates, Problem, Quadratic, Topology, solve

# %%
# Which parts are coupled. Edges point from the part at which a displacement is known.
graph = Topology.from_networkx(nx.DiGraph([("shoulder", "elbow"), ("elbow", "wrist")]))

# %%
# Where each part may be, mm, and how much speaks for it. The best-looking wrist, the last, is on another person.
candidates = [
    Candidates([[0, 0, 0], [400, 0, 0]], scores=[1.0, 0.8]),
    Candidates([[20, 280, 0], [300, 90, 50]], scores=[0.5, 0.6]),
    Candidates([[30, 500, 120], [0, 520, -90], [900, 100, 0]], scores=[0.2, 0.3, 2.0]),
]

# %%
# How far a displacement may be from what is expected: 1 / (2 sigma^2) with sigma = 50 mm.
weight = [1 / (2 * 50.0**2)] * 3
pairwise = [Quadratic(weight, offset=[0, 280, 0]), Quadratic(weight, offset=[0, 230, 100])]

problem = Problem(graph, candidates, pairwise)
solution = solve(problem, n_best=3)

print(solution.status.value)
for labels, score in zip(solution.labels, solution.scores, strict=True):
    print(f"score {score:7.2f}", dict(zip(graph.parts, labels.tolist(), strict=True)))
print("positions of the best, mm:")
print(problem.positions(solution.labels[0]))

# %%
# What decided: the score is a sum, so each term can be looked at.
best = solution.labels[0]
for part, name in enumerate(graph.parts):
    print(f"{name:9} own score {problem.unary_scores(part)[best[part]]:6.2f}")
for edge, (i, j) in enumerate(graph.edges):
    x, y = problem.anchor(edge)[best[i]], problem.candidates[j].positions[best[j]]
    print(f"{graph.edge_name(edge)}: {pairwise[edge].evaluate(x, y):6.2f}")
