"""NumPy arrays and torch tensors behind one vocabulary, without importing torch.

Potentials are written once and evaluated on arrays (solvers), tensors (learning) and intervals (bounds).
Operators, ``abs``, ``** 2`` and the method ``.sum(-1)`` work on all three; `sqrt`, `exp`, `log`, `minimum` and
`maximum` of this module cover the rest.
"""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias, TypeVar

import attrs
import numpy as np

Array: TypeAlias = Any
"""A NumPy array or a torch tensor; in arguments of potentials also an Interval."""

T = TypeVar("T")


def is_tensor(value: object) -> bool:
    """Whether `value` is a torch tensor. False in a process that never imported torch, at no cost."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def namespace(*values: object) -> ModuleType:
    """Return the module that `values` belong to: torch if any of them is a tensor, else NumPy."""
    return sys.modules["torch"] if any(map(is_tensor, values)) else np


# -- conversion --------------------------------------------------------------------------------------------------


def as_array(value: Array) -> Array:
    """Return tensors and floating arrays as they are, anything else as a float64 NumPy array."""
    return value if _is_leaf(value) else np.asarray(value, dtype=np.float64)


def like(value: Array, example: Array) -> Array:
    """Return `value` in the library of `example`; if that is a tensor also with its dtype and device."""
    if is_tensor(example):
        return sys.modules["torch"].as_tensor(value, dtype=example.dtype, device=example.device)
    return detached(value)


def detached(value: Array) -> np.ndarray:
    """Return `value` as contiguous float64 NumPy without history; the same object where it already is that."""
    if is_tensor(value):
        value = value.detach().cpu().numpy()
    return np.asarray(value, dtype=np.float64, order="C")


def is_detached(value: Array) -> bool:
    """Whether `detached` has nothing to do."""
    return type(value) is np.ndarray and value.dtype == np.float64 and value.flags.c_contiguous


# -- arrays inside values ----------------------------------------------------------------------------------------


def map_arrays(function: Callable[[Array], Array], value: T, known: dict[int, Any] | None = None) -> T:
    """Apply `function` to every floating array and tensor inside `value`, an attrs instance, tuple or array.

    Whatever does not change is kept as the same object, so that mapping a problem that needs no change copies
    nothing and returns that problem. With a dictionary `known`, what occurs several times is mapped once.
    """
    result: Any = value
    if isinstance(value, tuple):
        items = tuple([map_arrays(function, item, known) for item in value])
        if any(map(operator.is_not, items, value)):
            result = items
    elif fields := _fields(result.__class__):
        if known is not None and id(value) in known:
            return known[id(value)]
        changes = {}
        for name, argument in fields:
            old = getattr(value, name)
            new = map_arrays(function, old, known)
            if new is not old:
                changes[argument] = new
        if changes:
            result = attrs.evolve(result, **changes)
        if known is not None:
            known[id(value)] = result
    elif _is_leaf(value):
        result = function(value)
    return result


@functools.cache
def _fields(cls: Any) -> tuple[tuple[str, str], ...]:
    """Return name and constructor argument of every field of an attrs class; () for any other class."""
    return tuple((field.name, field.alias) for field in attrs.fields(cls)) if attrs.has(cls) else ()


def leaves(value: Any) -> list[Array]:
    """Return every floating array and tensor inside `value`, in the order of fields."""
    if isinstance(value, tuple):
        return [leaf for item in value for leaf in leaves(item)]
    if fields := _fields(value.__class__):
        return [leaf for name, _ in fields for leaf in leaves(getattr(value, name))]
    return [value] if _is_leaf(value) else []


def _is_leaf(value: object) -> bool:
    return value.dtype.kind == "f" if isinstance(value, np.ndarray) else is_tensor(value)


# -- functions ---------------------------------------------------------------------------------------------------


def sqrt(x: Array) -> Array:
    """Elementwise square root. Its gradient at zero is zero, where torch's own is infinite and then NaN."""
    if is_tensor(x):
        # The inner `where` keeps the infinite derivative out of the graph; masking the result alone would not.
        where, zero = sys.modules["torch"].where, x == 0
        return where(zero, 0.0, where(zero, 1.0, x).sqrt())
    return np.sqrt(x) if _is_plain(x) else x.sqrt()


def exp(x: Array) -> Array:
    """Elementwise exponential function."""
    return np.exp(x) if _is_plain(x) else x.exp()


def log(x: Array) -> Array:
    """Elementwise natural logarithm."""
    return np.log(x) if _is_plain(x) else x.log()


def minimum(x: Array, y: Array) -> Array:
    """Elementwise smaller of `x` and `y`; either may be a number."""
    return _pair("minimum", x, y)


def maximum(x: Array, y: Array) -> Array:
    """Elementwise larger of `x` and `y`; either may be a number."""
    return _pair("maximum", x, y)


def is_finite(x: np.ndarray) -> bool:
    """Whether every element of a NumPy array is finite."""
    # A product with itself would tell sooner, but belongs to BLAS, whose threads get into the way of those that solve
    # side by side.
    return bool(np.isfinite(x).all())


def _is_plain(x: object) -> bool:
    return isinstance(x, np.ndarray | np.generic | int | float)


def _pair(name: str, x: Array, y: Array) -> Array:
    """Call the symmetric function `name` of whichever argument is an Interval, else a tensor, else of NumPy."""
    if _is_plain(x) and _is_plain(y):
        return getattr(np, name)(x, y)
    if is_tensor(x) or is_tensor(y):
        tensor, other = (x, y) if is_tensor(x) else (y, x)
        if is_tensor(other) or _is_plain(other):
            return getattr(tensor, name)(like(other, tensor))
    interval, other = (y, x) if _is_plain(x) or is_tensor(x) else (x, y)
    return getattr(interval, name)(other)
