"""What this distribution adds to PartGraph."""

from __future__ import annotations

from collections.abc import Iterator

from partgraph.plugins import Component, hookimpl

_HERE = "partgraph_humanpose"
_LEARNING = ("torch", "torchvision", "safetensors")


@hookimpl
def partgraph_graphs() -> Iterator[Component]:
    """The topologies of the paper's section 3.4 over the joints of MPII."""
    yield Component("unary-only", f"{_HERE}.topologies:unary_only", "human joints without edges")
    yield Component(
        "center-star", f"{_HERE}.topologies:center_star", "every joint tied to the pelvis, 15 edges"
    )
    yield Component("stick-figure", f"{_HERE}.topologies:stick_figure", "the bones, a tree of 15 edges")
    yield Component(
        "extended-stick-figure",
        f"{_HERE}.topologies:extended_stick_figure",
        "bones, elbows, knees, head to shoulders, torso to knees, 21 edges",
    )
    yield Component("two-hop", f"{_HERE}.topologies:two_hop", "joints up to two bones apart, 33 edges")
    yield Component(
        "two-hop-knees", f"{_HERE}.topologies:two_hop_knees", "two-hop and knee to knee, 34 edges"
    )


@hookimpl
def partgraph_datasets() -> Iterator[Component]:
    """Human figures that are rendered on demand, and the data sets of the paper, which users bring themselves."""
    yield Component(
        "synthetic-human",
        f"{_HERE}.synthetic:SyntheticHuman",
        "rendered people in recorded motion, exact joints",
        examples=f"{_HERE}.examples:synthetic_human",
    )
    yield Component(
        "human36m",
        f"{_HERE}.datasets.human36m.dataset:Human36M",
        "Human3.6M in five layouts: people with 3D joints from motion capture",
        examples=f"{_HERE}.examples:from_files",
    )
    yield Component(
        "mpii",
        f"{_HERE}.datasets.mpii:Mpii",
        "MPII Human Pose: photographs with 2D joints",
        examples=f"{_HERE}.examples:from_files",
    )
    yield Component(
        "lsp",
        f"{_HERE}.datasets.lsp:Lsp",
        "Leeds Sports Pose and its extension: 2D joints",
        examples=f"{_HERE}.examples:from_files",
    )


@hookimpl
def partgraph_experiments() -> Iterator[Component]:
    """Trained networks that ship with this distribution."""
    yield Component(
        "human-small",
        f"{_HERE}.weights:human_small",
        "small network for CPUs, trained on synthetic-human",
        requires=_LEARNING,
    )
    yield Component(
        "human-medium",
        f"{_HERE}.weights:human_medium",
        "deeper network for CPUs, which started from human-small",
        requires=_LEARNING,
    )
    yield Component(
        "human-medium-structured",
        f"{_HERE}.weights:human_medium_structured",
        "human-medium after more training, at last through the search",
        requires=_LEARNING,
    )
