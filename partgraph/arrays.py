"""NumPy arrays and torch tensors behind one vocabulary, without importing torch.

Potentials are written once and evaluated on arrays (solvers), tensors (learning) and intervals (bounds).
Operators, ``abs``, ``** 2`` and the method ``.sum(-1)`` work on all three; the functions here cover the rest.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias, TypeVar

import attrs
import numpy as np

Array: TypeAlias = Any
"""A NumPy array or a torch tensor; where a docstring says so, also a Python sequence of numbers."""

T = TypeVar("T")


def is_tensor(value: object) -> bool:
    """Whether `value` is a torch tensor. False in a process that never imported torch, at no cost."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def namespace(*values: object) -> ModuleType:
    """Return the module that `values` belong to: torch if any of them is a tensor, else NumPy."""
    return sys.modules["torch"] if any(is_tensor(value) for value in values) else np


def as_array(value: Array) -> Array:
    """Return tensors and floating arrays as they are, anything else as a float64 NumPy array."""
    if is_tensor(value) or (isinstance(value, np.ndarray) and value.dtype.kind == "f"):
        return value
    return np.asarray(value, dtype=np.float64)


def like(value: Array, example: Array) -> Array:
    """Return `value` in the library of `example`; for tensors also with its dtype and device."""
    if is_tensor(example):
        return sys.modules["torch"].as_tensor(value, dtype=example.dtype, device=example.device)
    return detached(value)


def detached(value: Array) -> np.ndarray:
    """Return `value` as contiguous float64 NumPy without history; the same object where it already is that."""
    if is_tensor(value):
        value = value.detach().cpu().numpy()
    return np.ascontiguousarray(value, dtype=np.float64) if np.ndim(value) else np.asarray(value, np.float64)


def map_arrays(function: Callable[[Array], Array], value: T) -> T:
    """Apply `function` to every floating array or tensor inside `value`.

    Looks into attrs instances and tuples. Parts in which nothing changes are kept as the same objects, so that
    mapping a problem that needs no change costs no copy.
    """
    result: Any = value
    if is_tensor(value) or (isinstance(value, np.ndarray) and value.dtype.kind == "f"):
        result = function(value)
    elif isinstance(value, tuple):
        items = tuple(map_arrays(function, item) for item in value)
        if any(new is not old for new, old in zip(items, value, strict=True)):
            result = items
    elif attrs.has(type(value)):
        changes = {}
        for field in attrs.fields(type(value)):
            if field.init:
                old = getattr(value, field.name)
                new = map_arrays(function, old)
                if new is not old:
                    changes[field.alias] = new
        if changes:
            result = attrs.evolve(value, **changes)  # type: ignore[misc]
    return result


def sqrt(x: Array) -> Array:
    """Elementwise square root whose gradient at zero is zero, where the one of torch is infinite or NaN."""
    if is_tensor(x):
        torch = sys.modules["torch"]
        zero = x == 0
        return torch.where(zero, torch.zeros_like(x), torch.where(zero, torch.ones_like(x), x).sqrt())
    return np.sqrt(x) if _is_plain(x) else x.sqrt()


def exp(x: Array) -> Array:
    """Elementwise exponential function."""
    return np.exp(x) if _is_plain(x) else x.exp()


def log(x: Array) -> Array:
    """Elementwise natural logarithm."""
    return np.log(x) if _is_plain(x) else x.log()


def minimum(x: Array, y: Array) -> Array:
    """Elementwise smaller of `x` and `y`; either may be a number."""
    return _extremum("minimum", x, y)


def maximum(x: Array, y: Array) -> Array:
    """Elementwise larger of `x` and `y`; either may be a number."""
    return _extremum("maximum", x, y)


def _is_plain(x: object) -> bool:
    return isinstance(x, (np.ndarray, np.generic, int, float))


def _extremum(name: str, x: Array, y: Array) -> Array:
    if _is_plain(x) and _is_plain(y):
        return getattr(np, name)(x, y)
    if _is_plain(x):
        x, y = y, x
    if is_tensor(x) and _is_plain(y):
        y = like(y, x)
    return getattr(x, name)(y) if not (is_tensor(x) and not is_tensor(y)) else getattr(y, name)(x)


def is_finite(x: np.ndarray) -> bool:
    """Whether every element of a NumPy array is finite, found in one pass without a temporary array."""
    # A sum is finite only if all terms are, except when finite terms overflow; then look again, slowly.
    return math.isfinite(float(np.sum(x))) or bool(np.isfinite(x).all())
