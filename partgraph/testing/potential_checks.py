"""What every potential must do: bounds that hold, gradients that are right, the same answer everywhere.

A check takes a potential, or a hypothesis strategy that draws potentials and so their parameters too.
"""

from __future__ import annotations

import functools
import unittest
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from partgraph import arrays
from partgraph.arrays import Array
from partgraph.interval import Interval
from partgraph.potentials import Pairwise, Potential
from partgraph.testing import strategies, words
from partgraph.testing.words import box, numbers

Sample = tuple[Potential, list[Interval], list[np.ndarray], list[Interval]]
Subject = Potential | st.SearchStrategy[Potential]


def _strategy(subject: Subject) -> st.SearchStrategy[Potential]:
    return subject if isinstance(subject, st.SearchStrategy) else st.just(subject)


@st.composite
def _samples(draw: Any, subject: Subject) -> Sample:
    """Draw a potential, a box for each position, a point in it, and a box inside it with the point as a corner."""
    potential = draw(_strategy(subject))
    dim = potential.dimensions or 3
    boxes = [draw(strategies.boxes(dim=dim)) for _ in range(potential.arity)]
    points = [draw(strategies.points_in(box=box)) for box in boxes]
    others = [draw(strategies.points_in(box=box)) for box in boxes]
    inner = [Interval.hull(np.stack(pair)) for pair in zip(points, others, strict=True)]
    return potential, boxes, points, inner


def _on_samples(check: Callable[..., None]) -> Callable[[Subject], None]:
    """Turn ``check(potential, boxes, points, inner)`` into a function of the subject, run on many samples."""

    @functools.wraps(check)
    def run(subject: Subject) -> None:
        @settings(deadline=None)
        @given(_samples(subject))
        def on(sample: Sample) -> None:
            potential, boxes, points, _ = sample
            drawn = [words.potential(potential)]
            drawn += [
                f"the box {words.box(b)} with {words.numbers(p)}" for b, p in zip(boxes, points, strict=True)
            ]
            with words.explained(*drawn):
                check(*sample)

        on()

    return run


def _on_instances(check: Callable[[Potential], None]) -> Callable[[Subject], None]:
    """Turn ``check(potential)`` into a function of the subject, run once or, for a strategy, on a few instances."""

    @functools.wraps(check)
    def run(subject: Subject) -> None:
        if isinstance(subject, Potential):
            check(subject)
        else:
            settings(deadline=None, max_examples=5)(given(subject)(lambda potential: check(potential)))()

    return run


@_on_samples
def check_bounds_hold_every_value(
    potential: Potential, boxes: list[Interval], points: list[np.ndarray], inner: list[Interval]
) -> None:
    """The value at every point of the boxes lies within the bounds, without any tolerance."""
    value, bounds = potential.evaluate(*points), potential.bounds(*boxes)
    assert bounds.lo <= value <= bounds.hi, (
        f"the value {numbers(value)} is outside the bounds [{numbers(bounds.lo)}, {numbers(bounds.hi)}]; "
        "a solver would prune the best configuration"
    )


@_on_samples
def check_bounds_of_a_point_are_its_value(
    potential: Potential, boxes: list[Interval], points: list[np.ndarray], inner: list[Interval]
) -> None:
    """Boxes without extent have bounds that are the value, up to rounding."""
    value, bounds = potential.evaluate(*points), potential.bounds(*map(Interval.of, points))
    slack = 1e-9 * (1 + abs(value))
    assert value - slack <= bounds.lo <= value <= bounds.hi <= value + slack, (
        f"the value is {numbers(value)}, but the bounds of just that point are "
        f"[{numbers(bounds.lo)}, {numbers(bounds.hi)}]"
    )


@_on_samples
def check_smaller_boxes_have_tighter_bounds(
    potential: Potential, boxes: list[Interval], points: list[np.ndarray], inner: list[Interval]
) -> None:
    """The bounds of boxes inside other boxes lie inside the bounds of those, up to rounding."""
    outer, bounds = potential.bounds(*boxes), potential.bounds(*inner)
    slack = 1e-12 * (1 + max(abs(outer.lo), abs(outer.hi)))
    where = f"of the boxes {', '.join(map(box, inner))} inside"
    for name, within, whole in (("lower", bounds.lo, outer.lo), ("upper", bounds.hi, outer.hi)):
        assert outer.lo - slack <= within <= outer.hi + slack, (
            f"the {name} bound {numbers(within)} {where} is wider than that of the boxes, {numbers(whole)}"
        )


@_on_samples
def check_bounds_shrink_with_the_boxes(
    potential: Potential, boxes: list[Interval], points: list[np.ndarray], inner: list[Interval]
) -> None:
    """As boxes shrink to a point, their bounds shrink to its value; otherwise a search need never end."""

    def width(radius: float) -> float:
        bounds = potential.bounds(*(Interval(p - radius, p + radius) for p in points))
        return float(bounds.hi - bounds.lo)

    value, wide, narrow = potential.evaluate(*points), width(1.0), width(2.0**-30)
    assert narrow <= wide * 2.0**-10 + 1e-9 * (1 + abs(value)), (
        f"around the point the bounds are {wide:.3g} wide in boxes of radius 1, "
        f"and still {narrow:.3g} wide in boxes of radius 1e-9"
    )


@_on_samples
def check_leading_axes_broadcast(
    potential: Potential, boxes: list[Interval], points: list[np.ndarray], inner: list[Interval]
) -> None:
    """Many positions at a time give the values and bounds of each, for any leading axes."""
    corners = [np.stack([box.lo, point, box.hi]) for box, point in zip(boxes, points, strict=True)]
    last = [corner.reshape((3, *(1,) * i, corner.shape[-1])) for i, corner in enumerate(corners[::-1])][::-1]
    value = potential.evaluate(*last)
    shape = (3,) * potential.arity
    assert value.shape == shape, (
        f"positions of shapes {[x.shape for x in last]} gave values of shape {value.shape}"
    )
    bounds = potential.bounds(*map(Interval.of, last))
    for index in np.ndindex(*shape):
        one = potential.evaluate(*(corner[k] for corner, k in zip(corners, index, strict=True)))
        for many in (value[index], bounds.lo[index], bounds.hi[index]):
            np.testing.assert_allclose(
                many, one, rtol=1e-9, atol=1e-9, err_msg="one by one, and all at a time"
            )


@_on_samples
def check_inputs_are_untouched(
    potential: Potential, boxes: list[Interval], points: list[np.ndarray], inner: list[Interval]
) -> None:
    """Neither evaluation nor bounds write to the arrays they are given."""
    held = [*points, *(box.lo for box in boxes), *(box.hi for box in boxes)]
    before = [array.copy() for array in held]
    for array in held:
        array.flags.writeable = False
    potential.evaluate(*points)
    potential.bounds(*boxes)
    for old, new in zip(before, held, strict=True):
        np.testing.assert_array_equal(old, new)


@_on_samples
def check_numpy_and_torch_agree(
    potential: Potential, boxes: list[Interval], points: list[np.ndarray], inner: list[Interval]
) -> None:
    """Tensors give the values and bounds of arrays."""
    torch = _torch()
    tensors = [torch.tensor(point) for point in points]
    same = arrays.map_arrays(torch.tensor, potential)
    value = potential.evaluate(*points)
    np.testing.assert_allclose(same.evaluate(*tensors).numpy(), value, rtol=1e-12, atol=1e-12)
    ours = potential.bounds(*boxes)
    theirs = same.bounds(*(Interval(torch.tensor(box.lo), torch.tensor(box.hi)) for box in boxes))
    np.testing.assert_allclose(
        [float(theirs.lo), float(theirs.hi)], [ours.lo, ours.hi], rtol=1e-12, atol=1e-12
    )


@_on_samples
def check_the_compiled_form_agrees(
    potential: Potential, boxes: list[Interval], points: list[np.ndarray], inner: list[Interval]
) -> None:
    """C functions, where the potential has them, give its values, and bounds that hold these without any tolerance."""
    compiled = potential.compiled() if isinstance(potential, Pairwise) else None
    if compiled is None:
        return
    # Another pair in the middle, so that axes, ends and pairs are told apart.
    places = [np.stack([point, part.lo, point]) for point, part in zip(points, inner, strict=True)]
    value = compiled.call_values(*places)
    np.testing.assert_allclose(
        value, potential.evaluate(*places), rtol=1e-15, atol=0, err_msg="compiled, and by evaluate()"
    )
    around = [
        Interval(np.stack([own.lo, part.lo, own.lo]), np.stack([own.hi, part.hi, own.hi]))
        for own, part in zip(boxes, inner, strict=True)
    ]
    found, ours = compiled.call_bounds(*around), potential.bounds(*around)
    assert bool(found.contains(value).all()), (
        f"the values {numbers(value)} are outside the compiled bounds, {box(found)}"
    )
    for end, expected in ((found.lo, ours.lo), (found.hi, ours.hi)):
        np.testing.assert_allclose(
            end, expected, rtol=1e-9, atol=1e-9, err_msg="compiled bounds, and bounds()"
        )


@_on_instances
def check_gradients(potential: Potential) -> None:
    """Gradients by autograd are those by finite differences, for positions and the potential's own arrays."""
    torch = _torch()
    dim = potential.dimensions or 3
    generator = np.random.default_rng(20)
    fields = [torch.tensor(np.asarray(leaf), requires_grad=True) for leaf in arrays.leaves(potential)]

    def value(*tensors: Array) -> Array:
        given_fields = iter(tensors[potential.arity :])
        return arrays.map_arrays(lambda _: next(given_fields), potential).evaluate(
            *tensors[: potential.arity]
        )

    for _ in range(5):  # random points: kinks, where no gradient exists, have probability zero
        points = [
            torch.tensor(generator.normal(0, 3, (2, dim)), requires_grad=True) for _ in range(potential.arity)
        ]
        assert torch.autograd.gradcheck(value, (*points, *fields)), "gradients are wrong"


@_on_instances
def check_gradients_are_never_nan(potential: Potential) -> None:
    """Where all positions coincide, and at every point the potential holds, gradients are numbers."""
    torch = _torch()
    dim = potential.dimensions or 3
    special = [
        np.zeros(dim),
        *(np.asarray(leaf) for leaf in arrays.leaves(potential) if leaf.shape == (dim,)),
    ]
    for point in special:
        tensors = [torch.tensor(point, requires_grad=True) for _ in range(potential.arity)]
        arrays.map_arrays(torch.tensor, potential).evaluate(*tensors).backward()
        for tensor in tensors:
            if tensor.grad is not None:
                assert bool(torch.isfinite(tensor.grad).all()), (
                    f"the gradient at {point} is {tensor.grad.tolist()}"
                )


def _torch() -> Any:
    """Return torch, or skip: the core works without it."""
    try:
        import torch
    except ImportError:
        raise unittest.SkipTest("torch is not installed") from None
    return torch


CHECKS: tuple[Callable[[Subject], None], ...] = (
    check_bounds_hold_every_value,
    check_bounds_of_a_point_are_its_value,
    check_smaller_boxes_have_tighter_bounds,
    check_bounds_shrink_with_the_boxes,
    check_leading_axes_broadcast,
    check_inputs_are_untouched,
    check_numpy_and_torch_agree,
    check_the_compiled_form_agrees,
    check_gradients,
    check_gradients_are_never_nan,
)
"""All checks of a potential."""
