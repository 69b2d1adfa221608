"""What every loss must do: finite terms whose gradients reach what is trained, and which make answers better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import attrs
import numpy as np
import torch
from torch import Tensor

from partgraph.errors import PartGraphError
from partgraph.graph import Topology
from partgraph.learning.loss import Loss
from partgraph.learning.model import Batch, Model, Network
from partgraph.testing.learning.grid import GridModel
from partgraph.testing.learning.model_checks import PARTS
from partgraph.testing.learning.options import check_options_come_from_a_file


@final
@attrs.frozen
class LossCase:
    """A loss, and the network it is checked with.

    Attributes
    ----------
    loss : Loss
        What is checked.
    model : Model
        Small, so that the checks are quick; the kit's own `GridModel` by default.
    parts : sequence of str
        The network's.
    untrained : sequence of str
        Names of the parameters that the loss is meant to leave alone.
    """

    loss: Loss
    model: Model = attrs.field(factory=GridModel)
    parts: Sequence[str] = PARTS
    untrained: Sequence[str] = ()

    def network(self) -> Network:
        """Return a network with fresh weights, always the same."""
        torch.manual_seed(0)
        return self.model.build(tuple(self.parts))

    def terms(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        """Return what the loss says about a batch."""
        return self.loss(network, network(batch.images), batch)

    def total(self, network: Network, batch: Batch) -> Tensor:
        """Return what is minimised."""
        return torch.stack(list(self.terms(network, batch).values())).sum()


Subject = Loss | LossCase

_STEPS = 20


def _case(subject: Subject) -> LossCase:
    return subject if isinstance(subject, LossCase) else LossCase(subject)


def _batch(network: Network, count: int = 4) -> Batch:
    """Return noise, with all parts well inside of it and the first at depth zero."""
    random = torch.Generator().manual_seed(5)
    side, n = network.input_size, len(network.parts)
    target = (0.2 + 0.6 * torch.rand(count, n, 3, generator=random)) * side
    target[..., 2] -= target[:, :1, 2].clone()
    target[..., 2] *= 0.5
    images = torch.rand(count, 3, side, side, generator=random)
    return Batch(images, target, torch.ones(count, n, dtype=torch.bool))


def check_parts_are_accepted(subject: Subject) -> None:
    """``check`` has nothing against the parts of a network that the loss is for."""
    case = _case(subject)
    case.loss.check(tuple(case.parts))


def check_terms_are_finite_numbers(subject: Subject) -> None:
    """The loss is a dictionary of named scalars, all of them finite."""
    case = _case(subject)
    network = case.network()
    terms: Any = case.terms(network, _batch(network))
    assert isinstance(terms, dict), f"a loss returns its terms by name; found {terms!r}"
    assert terms, "the loss has no terms"
    for name, value in terms.items():
        shape = value.shape if isinstance(value, Tensor) else None
        assert shape == (), f"the term {name!r} is no scalar tensor: {value!r}"
        assert bool(value.isfinite()), f"the term {name!r} is {value.item()} for a batch whose truth is known"


def check_gradients_reach_every_parameter(subject: Subject) -> None:
    """Every parameter that is to be trained has a gradient, which is finite and not zero throughout."""
    case = _case(subject)
    network = case.network()
    case.total(network, _batch(network)).backward()
    for name, parameter in network.named_parameters():
        gradient = parameter.grad
        if gradient is not None:
            assert bool(gradient.isfinite().all()), f"the gradient of {name} is not finite"
        elif name not in case.untrained:
            raise AssertionError(
                f"{name} has no gradient; if that is meant, name it in LossCase(untrained=...)"
            )
    reached = [
        name for name, own in network.named_parameters() if own.grad is not None and bool(own.grad.any())
    ]
    idle = [name for name, _ in network.named_parameters() if name not in (*reached, *case.untrained)]
    assert not idle, f"the gradient of {', '.join(idle)} is zero throughout"


def check_answers_become_better(subject: Subject) -> None:
    """After some steps down what a network finds is nearer to the truth, and nearer than after as many steps up."""
    case = _case(subject)
    batch = _batch(case.network())
    fresh, down, up = (
        _error_after(case, batch, steps, sign) for steps, sign in ((0, 1), (_STEPS, 1), (_STEPS, -1))
    )
    assert down < min(fresh, up), (
        f"the best candidates are {fresh:.2f} px from the truth, {down:.2f} px after {_STEPS} steps that make the loss "
        f"smaller, and {up:.2f} px after steps that make it larger; does it have the wrong sign?"
    )


def check_the_order_of_samples_does_not_matter(subject: Subject) -> None:
    """A batch in another order has the same loss."""
    case = _case(subject)
    network = case.network().eval()
    batch = _batch(network)
    turned = Batch(batch.images.flip(0), batch.target.flip(0), batch.visible.flip(0))
    one, other = (case.total(network, own).item() for own in (batch, turned))
    assert abs(one - other) <= 1e-3 * (1 + abs(one)), (
        f"the loss is {one!r}, and {other!r} of the samples in reverse"
    )


def check_repeated_answers_are_equal(subject: Subject) -> None:
    """The same question has the same answer."""
    case = _case(subject)
    network = case.network().eval()
    one, other = (case.total(network, _batch(network)).item() for _ in range(2))
    assert one == other, f"the loss is {one!r}, and then {other!r} for the same batch"


def check_the_batch_is_untouched(subject: Subject) -> None:
    """Neither pictures nor truth are written to."""
    case = _case(subject)
    network = case.network()
    batch = _batch(network)
    case.total(network, batch)
    for name in ("images", "target", "visible"):
        assert torch.equal(getattr(batch, name), getattr(_batch(network), name)), (
            f"the loss wrote to the batch's {name}"
        )


def check_unknown_is_never_taken_for_zero(subject: Subject) -> None:
    """Where depth is NaN, the loss leaves it out, is NaN, or refuses; gradients stay finite if it is a number."""
    case = _case(subject)
    network = case.network().eval()
    batch = _batch(network)
    try:
        unknown = case.total(network, _with_depth(batch, float("nan")))
    except PartGraphError:
        return
    if not bool(unknown.isfinite()):
        return  # training stops and says so
    zero, other = (case.total(network, _with_depth(batch, z)).item() for z in (0.0, network.input_size / 4))
    uses_depth = abs(zero - other) > 1e-6 * (1 + abs(zero))
    assert not uses_depth or abs(unknown.item() - zero) > 1e-6 * (1 + abs(zero)), (
        f"the loss is {zero!r} both where depth is unknown and where it is zero; leave out what is NaN"
    )
    unknown.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is None or bool(parameter.grad.isfinite().all()), (
            f"where depth is unknown the gradient of {name} is not finite; is NaN multiplied by zero?"
        )


def check_loss_options_come_from_a_file(subject: Subject) -> None:
    """The loss's options are plain values, from which the same options are read again."""
    check_options_come_from_a_file(_case(subject).loss)


def _with_depth(batch: Batch, depth: float) -> Batch:
    """Return the batch with all parts but the first at a depth."""
    target = batch.target.clone()
    target[:, 1:, 2] = depth
    return attrs.evolve(batch, target=target)


def _error_after(case: LossCase, batch: Batch, steps: int, sign: int) -> float:
    """Return the mean distance, px, of each part's best-scored candidate to the truth, after steps of training."""
    network = case.network().train()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        (sign * case.total(network, batch)).backward()
        optimizer.step()
    with torch.inference_mode():
        problems = network.eval().problems(network(batch.images), Topology(tuple(network.parts), []))
        best = [np.array([int(own.scores.argmax()) for own in problem.candidates]) for problem in problems]
        found = torch.stack([problem.positions(own) for problem, own in zip(problems, best, strict=True)])
    return float((found - batch.target).norm(dim=-1).mean())


CHECKS: tuple[Callable[[Subject], None], ...] = (
    check_parts_are_accepted,
    check_terms_are_finite_numbers,
    check_gradients_reach_every_parameter,
    check_answers_become_better,
    check_the_order_of_samples_does_not_matter,
    check_repeated_answers_are_equal,
    check_the_batch_is_untouched,
    check_unknown_is_never_taken_for_zero,
    check_loss_options_come_from_a_file,
)
"""All checks of a loss."""
