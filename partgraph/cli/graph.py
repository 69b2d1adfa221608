"""``partgraph graph draw`` and ``partgraph graph learn``: look at a graph, and make one from poses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from partgraph import topologies
from partgraph.cli.output import print_line
from partgraph.covers import DEFAULT
from partgraph.drawing import draw_graph
from partgraph.errors import PartGraphError
from partgraph.graph import Graph
from partgraph.graph_files import SUFFIX, find_graph, save_graph


class GraphError(PartGraphError, ValueError):
    """Poses that cannot be read, or a wrong argument of the command."""


def draw(
    graph: Annotated[str, Parameter(help="A graph by name, or a graph file (.json).")],
    *,
    out: Annotated[Path | None, Parameter(help="The SVG to write; named after the graph by default.")] = None,
    cover: Annotated[
        str | None,
        Parameter(help="How edges are divided among stars: greedy, fewest, balanced or every-part."),
    ] = None,
) -> None:
    """Draw a graph as an SVG, with one colour for each star of its cover."""
    found: Graph = find_graph(graph)
    if cover is not None:
        found = found.with_cover(cover)
    path = Path(f"{Path(graph).stem.replace(':', '-')}.svg") if out is None else out
    _write(path, draw_graph(found))
    stars = [star for star in found.stars() if star.leaves]
    print_line(f"{path}: {_counts(found)} in {len(stars)} stars")


def learn(
    source: Annotated[
        Path,
        Parameter(
            help="An .npz with `poses` (S, N, D) and `parts` (N,), or an experiment's TOML: its training data."
        ),
    ],
    *,
    out: Annotated[Path, Parameter(help="The graph file (.json) to write.")],
    further: Annotated[int, Parameter(help="How many edges to add to the tree; they close loops.")] = 0,
    root: Annotated[str | None, Parameter(help="The part that edges point away from.")] = None,
    inwards: Annotated[bool, Parameter(negative=(), help="Let edges point towards the root.")] = False,
    measure: Annotated[
        topologies.Measure, Parameter(help="`displacement`, or `position` for poses in a common frame.")
    ] = "displacement",
    cover: Annotated[str, Parameter(help="How edges are divided among stars.")] = DEFAULT,
    count: Annotated[int | None, Parameter(help="Use the first COUNT poses only.")] = None,
) -> None:
    """Couple the parts that tell most about each other in poses: a tree, or more edges than that."""
    if out.suffix != SUFFIX:
        raise GraphError(f"--out must end in {SUFFIX}, as graph files do; found {out}")
    if count is not None and count < 1:
        raise GraphError(f"--count must be at least 1; found {count}")
    poses, parts = (
        _from_experiment(source, count) if source.suffix == ".toml" else _from_arrays(source, count)
    )
    graph = topologies.learn(
        poses, parts, further=further, root=root, inwards=inwards, measure=measure
    ).with_cover(cover)
    try:
        save_graph(graph, out)
    except OSError as error:
        raise GraphError(f"--out {out} cannot be written: {error.strerror}") from None
    for edge in range(len(graph.edges)):
        print_line(graph.edge_name(edge))
    print_line(f"{out}: {_counts(graph)} from {len(poses)} poses")


def _counts(graph: Graph) -> str:
    return f"{len(graph.parts)} parts, {len(graph.edges)} edges"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise GraphError(f"{path} cannot be written: {error.strerror}") from None


def _from_arrays(path: Path, count: int | None) -> tuple[np.ndarray, list[str]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("poses", "parts") if name in file.files}
    except OSError as error:
        raise GraphError(f"{path}: cannot be read: {error.strerror or error}") from None
    except Exception:  # zip, zlib and NumPy raise a dozen types on bytes that are not what they expect
        raise GraphError(f"{path}: is not an .npz file of plain arrays, or is damaged") from None
    if len(arrays) < 2 or arrays["poses"].dtype.kind not in "fiu" or arrays["parts"].dtype.kind != "U":
        raise GraphError(
            f"{path}: must hold the numbers `poses` (S, N, D), NaN where unknown, and the names `parts` (N,); "
            f"found {', '.join(f'{name} of type {array.dtype}' for name, array in arrays.items()) or 'neither'}"
        )
    return arrays["poses"][:count], arrays["parts"].tolist()


def _from_experiment(path: Path, count: int | None) -> tuple[np.ndarray, list[str]]:
    from partgraph.learning.experiment import read_experiment

    data = read_experiment(path).dataset("train")
    chosen = range(len(data) if count is None else min(count, len(data)))
    return np.stack([data[index].target for index in chosen]), list(data.parts)
