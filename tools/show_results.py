"""Bring the pages up to date with shipped weights: the table of results and the picture.

    partgraph demo
    python tools/show_results.py demo/results.json

and the same after ``partgraph demo dog-small``: which pages are written depends on the network that was shown.

The picture shows three test images where the last graph gains most on the first one, among those that it gets right.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from PIL import Image

from partgraph import plugins
from partgraph.learning.checkpoint import load_trained
from partgraph.learning.evaluate import Evaluated, evaluate
from partgraph.learning.infer import Decoder
from partgraph.learning.showcase import skeleton_of
from partgraph.metrics import similarity_transform
from partgraph.report import Pose, Skeleton, draw_overlay, draw_views

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- results:begin -->\n", "<!-- results:end -->\n"
RIGHT_MM, ROWS, SIDE = 100.0, 3, 300


@attrs.frozen
class Shown:
    """Where the results of a network are shown.

    Attributes
    ----------
    pages : files with the marks between which the table is
    picture : file
    group : what a column of the table is
    """

    pages: tuple[str, ...]
    picture: str
    group: str


SHOWN = {
    "human-medium-structured": Shown(("README.md",), "docs/images/demo.png", "clip"),
    "dog-small": Shown(
        ("docs/dog-pose.md", "plugins/partgraph-dogpose/README.md"), "docs/images/dog.png", "program"
    ),
}


def table(results: dict[str, Any], group: str) -> str:
    """The results as a Markdown table, and how they were come by."""
    groups, graphs = results["per_group_mm"], list(results["reconstruction_error_mm"])
    reference = graphs[0]
    gains = results[f"minus_{reference.replace('-', '_')}_mm"]
    lines = [
        f"| mm | {' | '.join(groups)} | mean | minus {reference} |",
        f"|---|{'---:|' * (len(groups) + 2)}",
    ]
    for method, mean in (results["reconstruction_error_mm"] | results["baselines_mm"]).items():
        own = " | ".join(f"{errors[method]:.1f}" for errors in groups.values())
        gain = gains.get(method)
        shown = f"{gain['mean']:+.1f} ± {gain['standard_error']:.1f}".replace("-", "−") if gain else ""
        lines.append(f"| {method} | {own} | {mean:.1f} | {shown} |")
    proven = min(results["certified_share"].values())
    time = results["solver_milliseconds"][graphs[-1]]
    lines += [
        "",
        f"{results['images']} pictures, as many of each {group}; ± is the standard error of the paired difference.",
        f"Proven optimal, over each graph: at least {proven:.1%} of the answers. The median {graphs[-1]} pose took",
        f"{time['median']:.0f} ms (90th percentile {time['p90']:.0f} ms) on one core, building included.",
    ]
    return "\n".join(lines) + "\n"


def picture(model: str, count: int) -> Image.Image:
    """Images with poses over them, and the poses from three sides, from the first `count` test images."""
    trained = load_trained(plugins.get("experiment", model))
    data = trained.experiment.dataset("test")
    decoder = Decoder.of(trained.experiment.evaluation, trained.network.parts)
    evaluated = evaluate(trained.network, data, decoder, count=count)
    first, *_, last = decoder.graphs
    right = [one for one in evaluated if one.errors[last] < RIGHT_MM]
    chosen = sorted(right, key=lambda one: one.errors[last] - one.errors[first])[:ROWS]
    rows = [_row(np.asarray(data[one.index].image), one, skeleton_of(data), (first, last)) for one in chosen]
    return Image.fromarray(np.concatenate(rows)).quantize(128)


def _row(image: np.ndarray, one: Evaluated, skeleton: Skeleton, graphs: tuple[str, ...]) -> np.ndarray:
    target = np.asarray(one.target, np.float64)
    truth = Pose("truth", target)
    found = {graph: one.answers[graph].positions for graph in graphs}
    over = [Pose(graph, positions) for graph, positions in found.items()]
    turned = [Pose(graph, similarity_transform(own, target)(own)) for graph, own in found.items()]
    drawn = draw_overlay(image, skeleton, over, truth, size=SIDE)
    return np.concatenate([drawn, draw_views(skeleton, turned, truth, size=SIDE)], axis=1)


def main() -> None:
    """Write table and picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, help="what `partgraph demo` wrote")
    parser.add_argument("--images", type=int, default=120, help="test images that the picture is chosen from")
    options = parser.parse_args()
    values = json.loads(options.results.read_text(encoding="utf-8"))
    shown = SHOWN[values["model"]]
    for name in shown.pages:
        page = ROOT / name
        before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        page.write_text(before + BEGIN + table(values, shown.group) + END + after, encoding="utf-8")
    picture(values["model"], options.images).save(ROOT / shown.picture, optimize=True)


if __name__ == "__main__":
    main()
