"""Checks of potentials' fields: functions for attrs that raise where a field is not what its potential needs.

Shapes are always checked. Numbers are checked in arrays only: tensors are looked at when they are detached for a
solver, since asking a GPU here would stall it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from partgraph import arrays
from partgraph.arrays import Array
from partgraph.errors import ProblemError


def vector(instance: Any, attribute: Any, value: Array) -> None:
    """Raise unless `value` has one axis."""
    if len(value.shape) != 1:
        raise ProblemError(
            f"{_name(instance)}: {attribute.name} must have shape (D,), one number per axis; "
            f"found shape {tuple(value.shape)}"
        )


def scalar(instance: Any, attribute: Any, value: Array) -> None:
    """Raise unless `value` is one number, an array without axes."""
    if len(value.shape) != 0:
        raise ProblemError(
            f"{_name(instance)}: {attribute.name} must be one number; found shape {tuple(value.shape)}"
        )


def positive(instance: Any, attribute: Any, value: Array) -> None:
    """Raise unless every number is above zero."""
    if not arrays.is_tensor(value) and np.any(np.asarray(value) <= 0):
        raise ProblemError(f"{_name(instance)}: {attribute.name} must be positive; found {value}")


def positive_definite(instance: Any, attribute: Any, value: Array) -> None:
    """Raise unless `value` is a symmetric, positive definite matrix."""
    name = f"{_name(instance)}: {attribute.name}"
    if len(value.shape) != 2 or value.shape[0] != value.shape[1]:
        raise ProblemError(f"{name} must have shape (D, D); found shape {tuple(value.shape)}")
    if arrays.is_tensor(value) or not np.isfinite(value).all():  # `solve` names what is not finite
        return
    if not np.allclose(value, value.T, rtol=1e-6, atol=0):
        raise ProblemError(
            f"{name} must be symmetric; found {value.tolist()}. Pass its symmetric part, (P + P.T) / 2"
        )
    try:
        np.linalg.cholesky((value + value.T) / 2)
    except np.linalg.LinAlgError:
        lowest = float(np.linalg.eigvalsh(value)[0])
        raise ProblemError(
            f"{name} must be positive definite; found an eigenvalue of {lowest:.3g}. "
            "Add a small multiple of the identity"
        ) from None


def same_axes(instance: Any, first: str, second: str) -> None:
    """Raise unless two fields agree in D, their number of axes."""
    one, other = getattr(instance, first), getattr(instance, second)
    if one.shape[0] != other.shape[0]:
        raise ProblemError(
            f"{_name(instance)}: {first} and {second} must have the same number of axes; "
            f"found shapes {tuple(one.shape)} and {tuple(other.shape)}"
        )


def pairwise(instance: Any, attribute: Any, value: Any) -> None:
    """Raise unless `value` is a pairwise potential."""
    if getattr(value, "arity", None) != 2:
        raise ProblemError(f"{_name(instance)}: {attribute.name} must be a Pairwise; found {value!r}")


def _name(instance: Any) -> str:
    return type(instance).__name__
