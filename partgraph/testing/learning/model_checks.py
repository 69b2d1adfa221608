"""What every model must do: a network for any parts, whose problems are over any graph and survive a checkpoint."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from partgraph.graph import Graph, Topology
from partgraph.learning.model import Model, Network
from partgraph.problem import Problem
from partgraph.reference import DynamicProgramming
from partgraph.solver import Status, solve
from partgraph.testing import words
from partgraph.testing.learning.options import check_options_come_from_a_file
from partgraph.testing.skipping import needs

PARTS = ("trunk", "left-arm", "right-arm", "head")
CHAIN = Topology(PARTS, [(0, 1), (1, 2), (2, 3)])
_BETWEEN = [(i, j) for i in range(len(PARTS)) for j in range(len(PARTS)) if i != j]
_EXAMPLES = 5  # a network takes a while, and has few ways to go wrong


def network_of(model: Model, seed: int = 0) -> Network:
    """Return a network for `PARTS` in evaluation mode, with weights of a seed."""
    torch.manual_seed(seed)
    return model.build(PARTS).eval()


def pictures(network: Network, count: int, seed: int = 0) -> Tensor:
    """Return (count, 3, S, S) float32, noise."""
    side = network.input_size
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))


@st.composite
def _graphs(draw: st.DrawFn) -> Topology:
    return Topology(PARTS, draw(st.lists(st.sampled_from(_BETWEEN), unique=True, max_size=5)))


def _on_graphs(check: Callable[[Network, Graph, Tensor], None]) -> Callable[[Model], None]:
    """Turn ``check(network, graph, images)`` into a function of the model, run on a few graphs and pictures."""

    @functools.wraps(check)
    def run(model: Model) -> None:
        network = network_of(model)

        @settings(deadline=None, max_examples=_EXAMPLES)
        @given(_graphs(), st.integers(0, 99))
        def on(graph: Topology, seed: int) -> None:
            edges = ", ".join(graph.edge_name(edge) for edge in range(len(graph.edges))) or "no edges"
            with words.explained(
                f"parts {', '.join(PARTS)} with {edges}; a picture of noise with seed {seed}"
            ):
                check(network, graph, pictures(network, 2, seed))

        on()

    return run


def _best(network: Network, images: Tensor) -> list[float]:
    """Return the best scores over a chain, which do not depend on the order of candidates."""
    with torch.inference_mode():
        problems = network.problems(network(images), CHAIN)
    return [float(solve(problem.detach(), DynamicProgramming()).scores[0]) for problem in problems]


# -- the network -------------------------------------------------------------------------------------------------


def check_parts_are_as_asked(model: Model) -> None:
    """For one part or several, the network has those parts in their order, and a size of pictures."""
    for parts in (PARTS[:1], PARTS, PARTS[::-1]):
        network = model.build(parts)
        assert network.parts == parts, (
            f"a network for {parts!r} was asked for; its parts are {network.parts!r}"
        )
        side = network.input_size
        assert side == int(side) > 0, f"input_size is {side!r}; it is a side in pixels"


def check_seeds_decide_the_weights(model: Model) -> None:
    """After the same ``torch.manual_seed`` fresh weights are the same."""
    one, other = (network_of(model, 3).state_dict() for _ in range(2))
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), (
            f"{name} differs from one network to the next with the same seed"
        )


def check_heads_are_its_own(model: Model) -> None:
    """``heads`` yields parameters of the network."""
    network = network_of(model)
    heads, own = list(network.heads()), {id(parameter) for parameter in network.parameters()}
    assert heads, "heads yields nothing; fine-tuning would train nothing"
    assert all(id(head) in own for head in heads), "heads yields what is no parameter of the network"


@torch.inference_mode()
def check_a_picture_is_judged_by_itself(model: Model) -> None:
    """In evaluation mode an answer is the same every time, and whatever other pictures are in the batch."""
    network = network_of(model)
    images = pictures(network, 3) * torch.tensor([1.0, 0.5, 0.1])[:, None, None, None]
    together = _best(network, images)
    for one, first, again in zip(images, together, _best(network, images), strict=True):
        assert first == again, f"the same picture scored {first!r}, and then {again!r}"
        (alone,) = _best(network, one[None])
        assert abs(alone - first) <= 1e-3 * (1 + abs(first)), (
            f"a picture scores {alone!r} alone and {first!r} in a batch; does the network use the batch's statistics?"
        )


# -- its problems ------------------------------------------------------------------------------------------------


@_on_graphs
def check_problems_are_over_the_graph(network: Network, graph: Graph, images: Tensor) -> None:
    """There is one problem for each picture, over the parts and edges that were asked for."""
    problems = network.problems(network(images), graph)
    assert len(problems) == len(images), f"{len(images)} pictures gave {len(problems)} problems"
    for problem in problems:
        asked, found = (graph.parts, graph.edges), (problem.graph.parts, problem.graph.edges)
        assert found == asked, f"problems were asked over the graph {asked}; they are over {found}"


def check_problems_can_be_solved(model: Model) -> None:
    """There is a best configuration, in three dimensions, of noise as of black and white pictures."""
    network = network_of(model)
    noise = pictures(network, 1)
    images = torch.cat([noise, torch.zeros_like(noise), torch.ones_like(noise)])
    with torch.inference_mode():
        problems = network.problems(network(images), CHAIN)
    for problem in problems:
        solution = solve(problem.detach(), DynamicProgramming())
        assert solution.status is Status.OPTIMAL
        positions = problem.detach().positions(solution.labels[0])
        assert positions.shape == (len(PARTS), 3), (
            f"positions have shape {positions.shape}, expected {(len(PARTS), 3)}"
        )
        assert np.isfinite(positions).all(), "positions are not finite"


def check_gradients_reach_the_heads(model: Model) -> None:
    """A configuration's score has gradients with respect to what the network learned."""
    network = network_of(model)
    (problem,) = network.problems(network(pictures(network, 1)), CHAIN)
    score = problem.score(np.zeros(len(PARTS), dtype=np.intp))
    assert score.requires_grad, "the score of a configuration has no gradient; is a tensor detached?"
    score.backward()
    grads = [head.grad for head in network.heads() if head.grad is not None]
    assert any(bool(grad.any()) for grad in grads), "the score of a configuration has a gradient in no head"
    assert all(bool(grad.isfinite().all()) for grad in grads), (
        "the gradient of a configuration's score is not finite"
    )


# -- its pairwise weights ----------------------------------------------------------------------------------------


def check_pairwise_weights_take_effect(model: Model) -> None:
    """Pairwise scores are proportional to ``pairwise_scale``, and to the weights that were set."""
    network = network_of(model)
    weights = 0.01 + 0.01 * torch.rand(len(PARTS), len(PARTS), 3, generator=torch.Generator().manual_seed(1))
    network.set_pairwise_weights(weights)
    with torch.inference_mode():
        outputs = network(pictures(network, 1))
        one, two, three = (
            _score(network.problems(outputs, CHAIN, pairwise_scale=scale)[0]) for scale in (1.0, 2.0, 3.0)
        )
    step = two - one
    assert abs(step) > 1e-6, "pairwise_scale=2 gives the scores of pairwise_scale=1"
    assert abs(three - two - step) <= 1e-3 * abs(step) + 1e-4 * abs(one), (
        f"pairwise_scale of 1, 2 and 3 gives scores of {one:.6g}, {two:.6g} and {three:.6g}, not evenly spaced"
    )
    network.set_pairwise_weights(2 * weights)
    with torch.inference_mode():
        doubled = _score(network.problems(network(pictures(network, 1)), CHAIN)[0])
    assert abs(doubled - two) <= 1e-3 * abs(step) + 1e-4 * abs(one), (
        f"with all weights doubled a score is {doubled:.6g}, but with pairwise_scale=2 it is {two:.6g}"
    )


@torch.inference_mode()
def check_offset_residuals_are_true_minus_expected(model: Model) -> None:
    """They are (B, N, N, 3), and if part j moves, what is between part i and j changes by as much."""
    network = network_of(model)
    images, n = pictures(network, 2), len(PARTS)
    outputs = network(images)
    target = _targets(network, len(images))
    before = network.offset_residuals(outputs, target)
    assert before.shape == (len(images), n, n, 3), (
        f"they have shape {tuple(before.shape)}, expected {(len(images), n, n, 3)}"
    )
    assert bool(before.isfinite().all()), "they are not finite for a known target"
    move = torch.tensor([3.0, -2.0, 5.0])
    for j in range(n):
        moved = target.clone()
        moved[:, j] += move
        change = network.offset_residuals(outputs, moved) - before
        for i in set(range(n)) - {j}:
            found = change[0, i, j]
            assert torch.allclose(found, move, atol=1e-2), (
                f"when {PARTS[j]!r} moves by {move.tolist()}, the residual from {PARTS[i]!r} to it changes by "
                f"{found.tolist()}"
            )


# -- on disk -----------------------------------------------------------------------------------------------------


def check_everything_is_in_a_checkpoint(model: Model) -> None:
    """A network that is restored from a checkpoint gives the same answers, its pairwise weights included."""
    needs("safetensors")
    from partgraph.learning.checkpoint import load_state, save_state

    network = network_of(model, 1)
    network.set_pairwise_weights(torch.full((len(PARTS), len(PARTS), 3), 0.02))
    images = pictures(network, 2)
    with tempfile.TemporaryDirectory() as folder:
        save_state(Path(folder), network, _optimizer(network), 3)
        again = network_of(model, 2)
        assert load_state(Path(folder), again, _optimizer(again)) == 3
    for first, second in zip(_best(network, images), _best(again, images), strict=True):
        assert first == second, (
            f"a picture scored {first!r} before a checkpoint and {second!r} after; "
            "what is learned or set must be a parameter or a buffer"
        )


def _optimizer(network: Network) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters())


def _score(problem: Problem) -> float:
    """Return the score of candidates in different places."""
    return float(problem.score(np.array([(5 * part + 1) % size for part, size in enumerate(problem.sizes)])))


def _targets(network: Network, count: int) -> Tensor:
    """Return (count, N, 3) px, well inside the pictures."""
    spread = torch.rand(count, len(PARTS), 3, generator=torch.Generator().manual_seed(7))
    return (0.3 + 0.4 * spread) * network.input_size - torch.tensor([0.0, 0.0, network.input_size / 2])


CHECKS: tuple[Callable[[Model], None], ...] = (
    check_parts_are_as_asked,
    check_seeds_decide_the_weights,
    check_heads_are_its_own,
    check_a_picture_is_judged_by_itself,
    check_problems_are_over_the_graph,
    check_problems_can_be_solved,
    check_gradients_reach_the_heads,
    check_pairwise_weights_take_effect,
    check_offset_residuals_are_true_minus_expected,
    check_everything_is_in_a_checkpoint,
    check_options_come_from_a_file,
)
"""All checks of a model."""
