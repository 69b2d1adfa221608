"""Star problems drawn at random, and their answers by brute force in NumPy.

Nothing here is shared with the solvers: the scores of all configurations are added up in one array.
"""

from __future__ import annotations

import numpy as np

from partgraph import Candidates, Problem, Quadratic, Topology

FLAVOURS = ("plain", "grid", "anchors", "far", "millimetres", "metres", "near-ties", "forbidden", "flat-axis")


def star_problem(seed: int, *, flavour: str = "plain", most: int = 150, leaves: int | None = None) -> Problem:
    """Draw a star: D = 2 or 3, up to three leaves, edges in either direction and both.

    Parameters
    ----------
    flavour : str
        grid: whole numbers, so that scores tie exactly; anchors: for most edges; far: coordinates far from the
        origin; millimetres, metres: the same body in two units; near-ties: scores that differ by rounding only;
        forbidden: many candidates with score -inf; flat-axis: all positions share a coordinate.
    most : int
        Candidates per part at most. Fewer with more leaves, so that brute force stays small.
    leaves : int, optional
        Number of leaves; drawn if not given.
    """
    rng = np.random.default_rng([seed, FLAVOURS.index(flavour)])
    dim = int(rng.integers(2, 4))
    count = int(rng.integers(0, 4)) if leaves is None else leaves
    most = min(most, {0: 400, 1: 400, 2: 150, 3: 25}[count])
    center = int(rng.integers(0, count + 1))
    length = {"millimetres": 1000.0, "metres": 1.0}.get(flavour, 10.0)
    shift = 1e6 * rng.normal(size=dim) if flavour == "far" else np.zeros(dim)

    def part() -> Candidates:
        k = int(rng.integers(1, most + 1)) if rng.random() < 0.9 else 1
        positions, scores = length * rng.normal(size=(k, dim)), 3 * rng.normal(size=k)
        if flavour == "grid":
            positions, scores = np.round(positions / 5), np.round(scores / 2)
        if flavour == "near-ties":
            positions, scores = np.round(positions / 8), np.round(scores / 3) + 1e-15 * rng.normal(size=k)
        if flavour == "flat-axis":
            positions[:, 0] = 1.0
        if k > 2 and rng.random() < 0.5:
            positions[k // 2], scores[k // 2] = positions[0], scores[0]
        if flavour == "forbidden" or rng.random() < 0.2:
            scores[rng.random(k) < 0.6] = -np.inf
            scores[int(rng.integers(k))] = 0.5
        return Candidates(positions + shift, scores)

    candidates = [part() for _ in range(count + 1)]
    edges: list[tuple[int, int]] = []
    for leaf in (part for part in range(count + 1) if part != center):
        ways = [[(center, leaf)], [(leaf, center)], [(center, leaf), (leaf, center)]]
        edges += ways[int(rng.integers(3))]
    edges = [edges[k] for k in rng.permutation(len(edges))]
    exact = flavour in ("grid", "near-ties")
    pairwise, anchors = [], []
    for i, _ in edges:
        weight = np.ones(dim) if exact else rng.uniform(0.05, 2.0, dim) * (3 / length) ** 2
        offset = np.round(rng.normal(size=dim)) if exact else 0.3 * length * rng.normal(size=dim)
        pairwise.append(Quadratic(weight, offset))
        field = candidates[i].positions + (
            1.0 if exact else length * rng.normal(size=(len(candidates[i]), dim))
        )
        anchors.append(field if flavour == "anchors" and rng.random() < 0.8 else None)
    names = [f"part-{k}" for k in range(count + 1)]
    return Problem(Topology(names, edges), candidates, pairwise, anchors=anchors)


def all_scores(problem: Problem) -> np.ndarray:
    """Return the score of every configuration: (K_0, ..., K_N-1) float64."""
    n = len(problem.sizes)
    total = np.zeros(problem.sizes)
    for part, own in enumerate(problem.candidates):
        total = total + own.scores.reshape([-1 if axis == part else 1 for axis in range(n)])
    for e, (i, j) in enumerate(problem.graph.edges):
        term = problem.pairwise[e]
        first = problem.candidates[i].positions if problem.anchors[e] is None else problem.anchors[e]
        apart = problem.candidates[j].positions[None] - first[:, None] - term.offset
        table = -(term.weight * apart**2).sum(-1)
        table = table if i < j else table.T
        shape = [problem.sizes[axis] if axis in (i, j) else 1 for axis in range(n)]
        total = total + table.reshape(shape)
    return total


def brute_force(problem: Problem, n_best: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the n best configurations (M, N) and their scores (M,), ties by lowest labels."""
    total = all_scores(problem)
    flat = np.argsort(-total.ravel(), kind="stable")[:n_best]
    flat = flat[np.isfinite(total.ravel()[flat])]
    return np.stack(np.unravel_index(flat, total.shape), axis=-1), total.ravel()[flat]


def cloud_star(seed: int, *, scale: float, away: float, ties: bool) -> Problem:
    """Draw a star of two leaves with 1300 candidates a part, in clouds, `away` from the origin.

    Lengths are multiplied by `scale`. With ties every candidate occurs twice, and scores differ by rounding only.
    """
    rng = np.random.default_rng([seed, 77])

    def part() -> Candidates:
        clouds = rng.normal(size=(6, 3))
        positions = clouds[rng.integers(6, size=1300)] + 0.2 * rng.normal(size=(1300, 3))
        scores = 2 * rng.normal(size=1300)
        if ties:
            positions[650:] = positions[:650]
            scores = np.round(scores) + 1e-15 * rng.normal(size=1300)
        return Candidates(scale * (positions + away), scores)

    edges = [(0, 1), (2, 0), (0, 2)]
    pairwise = [
        Quadratic(rng.uniform(2, 40, 3) / scale**2, scale * rng.normal(size=3)) for _ in range(len(edges))
    ]
    return Problem(Topology("abc", edges), [part() for _ in "abc"], pairwise)


def star_marginals(problem: Problem) -> list[np.ndarray]:
    """Return for every part the best score with each of its candidates; part 0 is the center."""
    center, *leaves = problem.candidates
    tables = {leaf: np.zeros((len(center), len(own))) + own.scores for leaf, own in enumerate(leaves, 1)}
    for e, (i, j) in enumerate(problem.graph.edges):
        x, y = problem.anchor(e), problem.candidates[j].positions
        table = problem.pairwise[e].evaluate(x[:, None], y[None])
        tables[max(i, j)] += table if i == 0 else table.T
    messages = {leaf: table.max(1) for leaf, table in tables.items()}
    total = center.scores + sum(messages.values())
    return [total] + [
        ((total - messages[leaf])[:, None] + table).max(0) for leaf, table in sorted(tables.items())
    ]
