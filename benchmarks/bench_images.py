"""Images a second of network, decoding and inference apart, and of a training step: python benchmarks/bench_images.py.

One thread, processor time; things that are compared take turns, and the median of the rounds is shown.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import attrs
import numpy as np
import torch
from instances import instance, two_hop_edges

from partgraph import plugins, solve
from partgraph.learning.augment import Augmentation
from partgraph.learning.batches import step_generator
from partgraph.learning.checkpoint import load_trained
from partgraph.learning.experiment import Choice
from partgraph.learning.infer import graph_over
from partgraph.learning.model import Batch, Network
from partgraph.learning.update import Update

KINDS = ("easy", "multi", "lr", "occl")  # of generated poses, see `instances`


def in_turn(rounds: int, **works: Callable[[], object]) -> dict[str, float]:
    """Median processor time of each, ms, after a first call."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            start = time.process_time()
            work()
            times[name].append(1e3 * (time.process_time() - start))
    return {name: statistics.median(own) for name, own in times.items()}


def show(title: str, batch: int, found: dict[str, float]) -> None:
    print(f"\n{title}, batch of {batch}")
    for name, milliseconds in found.items():
        print(
            f"  {name:24} {milliseconds / batch:9.2f} ms an image {1e3 * batch / milliseconds:9.1f} images a second"
        )


def answering(network: Network, batch: Batch, graph_name: str, scale: float, rounds: int) -> dict[str, float]:
    graph = graph_over(network.parts, graph_name)
    with torch.inference_mode():
        outputs = network(batch.images)
        problems = [problem.detach() for problem in network.problems(outputs, graph, pairwise_scale=scale)]

        def forward() -> object:
            return network(batch.images)

        def decode() -> object:
            return [problem.detach() for problem in network.problems(outputs, graph, pairwise_scale=scale)]

        def infer() -> object:
            return [solve(problem) for problem in problems]

        return in_turn(rounds, network=forward, decoding=decode, inference=infer)


def papers(parts: Sequence[str], rounds: int) -> dict[str, float]:
    """The paper's ResNet-152 with all its 8000 voxels as candidates, for one picture.

    Its weights are fresh, which neither layers nor decoding notice, but its problems say nothing: solved are generated
    ones of their size and kind, with the expected offset of every candidate its own, from easy to occluded.
    """
    network = Choice("volumetric-resnet").build("model").build(parts).eval()
    images, graph = torch.rand(1, 3, 320, 320), graph_over(parts, "two-hop")
    poses = [instance(two_hop_edges(), kind, 20, 0, anchors=True).problem for kind in KINDS]
    with torch.inference_mode():
        outputs = network(images)
        found = in_turn(
            rounds,
            network=lambda: network(images),
            decoding=lambda: [own.detach() for own in network.problems(outputs, graph)],
            **{f"inference, {kind}": partial(solve, pose) for kind, pose in zip(KINDS, poses, strict=True)},
        )
    inference = statistics.mean(found[f"inference, {kind}"] for kind in KINDS)
    print(
        f"\ninference, mean over {', '.join(KINDS)}, is {inference / found['network']:.3f} of the network's time"
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="human-small", help="an installed experiment")
    parser.add_argument("--graph", default="two-hop")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--paper", action="store_true", help="the paper's ResNet-152 with 8000 candidates, too"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)

    trained = load_trained(Path(plugins.get("experiment", options.model)))
    experiment, network = trained.experiment, trained.network
    dataset = attrs.evolve(experiment.dataset("test"), count=options.batch)
    samples = [dataset[k] for k in range(options.batch)]
    batch = Batch(
        torch.from_numpy(np.stack([own.image for own in samples])).permute(0, 3, 1, 2).float() / 255,
        torch.from_numpy(np.stack([own.target for own in samples])),
        torch.from_numpy(np.stack([own.visible for own in samples])),
    )
    scale = experiment.evaluation.pairwise_scale.get(options.graph, 1.0)
    found = answering(network, batch, options.graph, scale, options.rounds)
    show(f"{options.model}, {options.graph}", options.batch, found)
    if options.paper:
        show("the paper's network at 320 px, two-hop", 1, papers(network.parts, options.rounds))

    first = experiment.stages()[0]
    flip = dataset.flip
    works: dict[str, Callable[[], object]] = {}
    for precision in ("float32", "bfloat16"):
        stage = attrs.evolve(first, training=attrs.evolve(first.training, precision=precision, accumulate=1))
        own = experiment.build_network(network.parts).to(memory_format=torch.channels_last)
        works[f"step, {precision}"] = partial(Update(own, stage), batch, 1e-3)
    change: Augmentation = first.augmentation
    works["augmentation"] = lambda: change(batch, flip, step_generator(0, 0))
    show("training", options.batch, in_turn(options.rounds, **works))


if __name__ == "__main__":
    main()
