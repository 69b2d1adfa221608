"""A hypothesis strategy for each class of built-in potentials: `instances` draws parameters, plain and awkward ones."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from partgraph.potentials import (
    BoxPrior,
    Cauchy,
    EuclideanLoss,
    FullQuadratic,
    GaussianPrior,
    Huber,
    LimbLength,
    Linear,
    Mixture,
    Pairwise,
    Potential,
    Proximal,
    Quadratic,
    Truncated,
    Visibility,
)
from partgraph.testing.strategies import Strategy, arrays

__all__ = ["PAIRWISES", "UNARIES", "instances", "pairwises"]

_POSITIVE = st.sampled_from([1.0, 0.5, 2.0, 1 / 3, 0.01, 10.0, 1e-4])


@functools.cache
def instances(cls: type[Potential], *, dim: int = 3) -> Strategy[Any]:
    """Draw instances of a built-in class.

    Parameters
    ----------
    cls : type
        One of `PAIRWISES` or `UNARIES`.
    dim : int
        D, the number of axes of the positions.
    """
    return _MAKERS[cls](dim)


def pairwises(*, dim: int = 3) -> Strategy[Pairwise]:
    """Draw pairwise potentials of every class."""
    return st.one_of([instances(cls, dim=dim) for cls in PAIRWISES])


@functools.cache
def _weights(dim: int) -> Strategy[np.ndarray]:
    return st.lists(_POSITIVE, min_size=dim, max_size=dim).map(np.array)


@functools.cache
def _precisions(dim: int) -> Strategy[np.ndarray]:
    """Draw matrices (dim, dim), symmetric and positive definite, up to a thousand times longer than wide."""

    def make(factor: np.ndarray, ridge: float) -> np.ndarray:
        product = factor @ factor.T
        return product / max(1.0, float(abs(product).max())) + ridge * np.eye(dim)

    return st.builds(make, arrays(shape=(dim, dim), limit=2.0), st.sampled_from([1.0, 0.1, 1e-3]))


@functools.cache
def _bases(dim: int) -> Strategy[Pairwise]:
    return st.one_of([instances(cls, dim=dim) for cls in (Quadratic, FullQuadratic, LimbLength)])


@st.composite
def _mixtures(draw: Any, dim: int) -> Mixture:
    modes = draw(st.lists(_bases(dim), min_size=1, max_size=3))
    return Mixture(modes, draw(arrays(shape=(len(modes),), limit=10.0)))


@st.composite
def _box_priors(draw: Any, dim: int) -> BoxPrior:
    lo, hi = np.sort(draw(arrays(shape=(2, dim))), axis=0)
    return BoxPrior(lo, hi, draw(_weights(dim)), draw(st.sampled_from([1, 2])))


@st.composite
def _visibilities(draw: Any, dim: int) -> Visibility:
    lo, hi = np.sort(draw(arrays(shape=(2, dim))), axis=0)
    return Visibility(lo, hi, float(draw(arrays(shape=(), limit=10.0))), draw(_POSITIVE))


_MAKERS: dict[type[Potential], Callable[[int], Strategy[Any]]] = {
    Quadratic: lambda dim: st.builds(Quadratic, _weights(dim), arrays(shape=(dim,))),
    FullQuadratic: lambda dim: st.builds(FullQuadratic, _precisions(dim), arrays(shape=(dim,))),
    LimbLength: lambda dim: st.builds(
        LimbLength, st.sampled_from([1.0, 30.0, 0.01]), st.sampled_from([1.0, 10.0, 0.5])
    ),
    Truncated: lambda dim: st.builds(Truncated, _bases(dim), st.sampled_from([1.0, 9.0, 1e3])),
    Huber: lambda dim: st.builds(Huber, _bases(dim), st.sampled_from([1.0, 3.0, 0.1])),
    Cauchy: lambda dim: st.builds(Cauchy, _bases(dim), st.sampled_from([1.0, 0.1, 1e3])),
    Mixture: _mixtures,
    Linear: lambda dim: st.builds(Linear, arrays(shape=(dim,))),
    Proximal: lambda dim: st.builds(Proximal, arrays(shape=(dim,)), _POSITIVE),
    EuclideanLoss: lambda dim: st.builds(EuclideanLoss, arrays(shape=(dim,)), _POSITIVE),
    GaussianPrior: lambda dim: st.builds(GaussianPrior, arrays(shape=(dim,)), _precisions(dim)),
    BoxPrior: _box_priors,
    Visibility: _visibilities,
}

PAIRWISES = tuple(cls for cls in _MAKERS if issubclass(cls, Pairwise))
"""The pairwise classes."""

UNARIES = tuple(cls for cls in _MAKERS if not issubclass(cls, Pairwise))
"""The unary classes."""
