"""What this distribution adds to PartGraph."""

from __future__ import annotations

from collections.abc import Iterator

from partgraph.plugins import Component, hookimpl

_HERE = "partgraph_dogpose"


@hookimpl
def partgraph_graphs() -> Iterator[Component]:
    """Topologies over the parts of a dog."""
    yield Component("dog-unary-only", f"{_HERE}.topologies:unary_only", "a dog's parts without edges")
    yield Component(
        "dog-center-star", f"{_HERE}.topologies:center_star", "every part tied to the loin, 24 edges"
    )
    yield Component("dog-stick-figure", f"{_HERE}.topologies:stick_figure", "the bones, a tree of 24 edges")
    yield Component(
        "dog-extended",
        f"{_HERE}.topologies:extended",
        "bones, legs tied to those beside, before and behind them, head to shoulders, 32 edges",
    )
    yield Component("dog-two-hop", f"{_HERE}.topologies:two_hop", "parts up to two bones apart, 53 edges")
    yield Component(
        "dog-loopy", f"{_HERE}.topologies:loopy", "dog-two-hop and dog-extended together, 61 edges"
    )


@hookimpl
def partgraph_datasets() -> Iterator[Component]:
    """Dogs that are rendered on demand."""
    yield Component(
        "synthetic-dog",
        f"{_HERE}.synthetic:SyntheticDog",
        "rendered dogs in gaits and postures, exact joints",
        examples=f"{_HERE}.examples:synthetic_dog",
    )


@hookimpl
def partgraph_experiments() -> Iterator[Component]:
    """Trained networks that ship with this distribution."""
    yield Component(
        "dog-small",
        f"{_HERE}.weights:dog_small",
        "small network for CPUs, trained on synthetic-dog",
        requires=("torch", "torchvision", "safetensors"),
    )
