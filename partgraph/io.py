"""Problem files: one ``.npz`` that any language can write, read without running anything from it.

format        "partgraph-problem-1"
parts         (N,) str
edges         (E, 2) int64                ordered pairs of part indices
weight        (E, D) float64, > 0         c of eq. 3, unit 1 / length^2
offset        (E, D) float64              expected phi_j - phi_i, length
positions.i   (K_i, D) float64            for each part i, length
scores.i      (K_i,) float64              -inf = forbidden
anchors.e     (K_i, D) float64            optional, for edge e = (i, j), length
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from partgraph.candidates import Candidates
from partgraph.errors import ProblemError
from partgraph.graph import Topology
from partgraph.potentials import Quadratic
from partgraph.problem import Problem

FORMAT = "partgraph-problem-1"


def save_problem(problem: Problem, path: str | os.PathLike[str]) -> None:
    """Write a problem with quadratic terms to a file.

    Parameters
    ----------
    problem : Problem
        Tensors are detached.
    path : path
        Written exactly there; nothing is appended to the name.

    Raises
    ------
    ProblemError
        If the problem has terms the format does not know; the message says which.
    """
    problem = problem.detach()
    graph = problem.graph
    for e, term in enumerate(problem.pairwise):
        if not isinstance(term, Quadratic):
            raise ProblemError(
                f"edge {graph.edge_name(e)} has a {type(term).__name__}; a problem file holds Quadratic terms only"
            )
    for name, terms in zip(graph.parts, problem.unary, strict=True):
        if terms:
            raise ProblemError(
                f"part {name!r} has extra unary terms, which a problem file does not hold; "
                "add them to the candidates' scores first, see Problem.unary_scores"
            )
    arrays: dict[str, np.ndarray] = {
        "format": np.array(FORMAT),
        "parts": np.array(graph.parts),
        "edges": np.array(graph.edges, dtype=np.int64).reshape(-1, 2),
        "weight": np.array([t.weight for t in problem.pairwise]).reshape(-1, problem.dimensions),  # type: ignore[attr-defined]
        "offset": np.array([t.offset for t in problem.pairwise]).reshape(-1, problem.dimensions),  # type: ignore[attr-defined]
    }
    for i, own in enumerate(problem.candidates):
        arrays[f"positions.{i}"], arrays[f"scores.{i}"] = own.positions, own.scores
    for e, anchors in enumerate(problem.anchors):
        if anchors is not None:
            arrays[f"anchors.{e}"] = anchors
    with Path(path).open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_problem(path: str | os.PathLike[str]) -> Problem:
    """Read a problem file.

    Parameters
    ----------
    path : path
        A file written by `save_problem`, or by anything else in the format above.

    Raises
    ------
    ProblemError
        If the file cannot be read or is not a well-formed problem; the message is one line that names the file
        and what is wrong.
    """
    try:
        arrays = _read(Path(path))
        problem = _problem(arrays)
        _check_names(arrays, problem)
    except ProblemError as error:
        raise ProblemError(f"{os.fspath(path)}: {error}") from error.__cause__
    return problem


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except OSError as error:
        raise ProblemError(f"cannot be read: {error.strerror or error}") from error
    except (
        Exception
    ) as error:  # zip, zlib and NumPy raise a dozen types on bytes that are not what they expect
        raise ProblemError(_UNREADABLE) from error
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise ProblemError(_UNREADABLE)  # NumPy hands out other members of a zip file as bytes
    return arrays


_UNREADABLE = "is not an .npz file of plain arrays, or is damaged"


def _problem(arrays: Mapping[str, np.ndarray]) -> Problem:
    found = _get(arrays, "format", "U", ()).item()
    if found != FORMAT:
        raise ProblemError(f"has format {found!r}; this version reads {FORMAT!r}")
    parts = _get(arrays, "parts", "U", ("N",)).tolist()
    edges = _get(arrays, "edges", "iu", ("E", 2)).tolist()
    graph = Topology(parts, edges)
    candidates = []
    for i, name in enumerate(parts):
        positions = _finite(arrays, f"positions.{i}", ("K", "D"))
        scores = _get(arrays, f"scores.{i}", "fiu", (len(positions),))
        if np.isnan(scores).any() or (scores == np.inf).any():
            raise ProblemError(f"scores.{i} (part {name!r}) must be finite or -inf; found NaN or +inf")
        candidates.append(Candidates(positions, scores))
    dimensions = candidates[0].positions.shape[1]
    weight = _finite(arrays, "weight", (len(edges), dimensions))
    offset = _finite(arrays, "offset", (len(edges), dimensions))
    anchors = [
        _finite(arrays, f"anchors.{e}", (len(candidates[i]), dimensions))
        if f"anchors.{e}" in arrays
        else None
        for e, (i, _) in enumerate(edges)
    ]
    return Problem(graph, candidates, list(map(Quadratic, weight, offset)), anchors=anchors)


def _get(arrays: Mapping[str, np.ndarray], name: str, kinds: str, shape: tuple[int | str, ...]) -> np.ndarray:
    """Return the array `name` if its type is one of `kinds` (NumPy's letters) and its shape fits."""
    if name not in arrays:
        raise ProblemError(f"has no array {name!r}")
    array = arrays[name]
    if array.dtype.kind not in kinds:
        wanted = {"U": "text", "iu": "whole numbers"}.get(kinds, "numbers")
        raise ProblemError(f"{name} must hold {wanted}; found {array.dtype}")
    if len(array.shape) != len(shape) or any(
        isinstance(want, int) and want != have for want, have in zip(shape, array.shape, strict=True)
    ):
        wanted = ", ".join(map(str, shape)) + "," * (len(shape) == 1)
        raise ProblemError(f"{name} must have shape ({wanted}); found {array.shape}")
    return array


def _finite(arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int | str, ...]) -> np.ndarray:
    array = _get(arrays, name, "fiu", shape)
    if not np.isfinite(array).all():
        raise ProblemError(f"{name} must be finite; found NaN or infinity")
    return array


def _check_names(arrays: Mapping[str, np.ndarray], problem: Problem) -> None:
    """Refuse arrays the format does not know: a misspelt ``anchor.3`` would otherwise be ignored in silence."""
    n, e = len(problem.graph.parts), len(problem.graph.edges)
    known = {"format", "parts", "edges", "weight", "offset"}
    known |= {f"{field}.{i}" for field in ("positions", "scores") for i in range(n)}
    known |= {f"anchors.{i}" for i in range(e)}
    unknown = sorted(set(arrays) - known)
    if unknown:
        raise ProblemError(
            f"has an array {unknown[0]!r}, which is none of the format's for {n} parts and {e} edges"
        )
