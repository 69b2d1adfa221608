"""Instances of the built-in potentials, for the conformance checks; see `partgraph.Component.examples`."""

from __future__ import annotations

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
    Proximal,
    Quadratic,
    Scaled,
    Truncated,
    Visibility,
)

_TILTED = [[2.0, -0.9, 0.3], [-0.9, 0.5, 0.1], [0.3, 0.1, 1.0]]
_THIN = [[1.0, 0.99], [0.99, 1.0]]


def quadratic() -> list[Quadratic]:
    """Return quadratics in two and three dimensions."""
    return [Quadratic([0.5, 2.0, 1e-3], [0.0, -30.0, 2.5]), Quadratic([1.0, 0.1], [1.0, 0.0])]


def full_quadratic() -> list[FullQuadratic]:
    """Return full quadratics in one, two and three dimensions; the second is 200 times longer than wide."""
    return [
        FullQuadratic(_TILTED, [0.0, -30.0, 2.5]),
        FullQuadratic(_THIN, [1.0, 0.0]),
        FullQuadratic([[0.1]], [3.0]),
    ]


def limb_length() -> list[LimbLength]:
    """Return a limb length."""
    return [LimbLength(8.0, 1.5)]


def truncated() -> list[Truncated]:
    """Return truncated terms over three kinds of base."""
    return [
        Truncated(quadratic()[0], 9.0),
        Truncated(full_quadratic()[1], 0.5),
        Truncated(LimbLength(3.0, 2.0), 4.0),
    ]


def huber() -> list[Huber]:
    """Return Huber's term, with and without a place where its distance is zero at equal positions."""
    return [Huber(quadratic()[0], 1.5), Huber(Quadratic([1.0, 2.0, 0.5], [0.0] * 3), 3.0)]


def cauchy() -> list[Cauchy]:
    """Return Cauchy's term, early and late to flatten."""
    return [Cauchy(quadratic()[0], 1.0), Cauchy(full_quadratic()[0], 50.0)]


def mixture() -> list[Mixture]:
    """Return a mixture of two quadratics, and one of different kinds of terms."""
    return [
        Mixture([quadratic()[0], Quadratic([1.0, 1.0, 1.0], [5.0, 0.0, 0.0])], [0.0, -2.0]),
        Mixture([full_quadratic()[1], quadratic()[1], LimbLength(1.0, 1.0)], [1.0, 0.0, -1.0]),
    ]


def linear() -> list[Linear]:
    """Return a linear term."""
    return [Linear([1.0, 0.0, -2.5])]


def proximal() -> list[Proximal]:
    """Return a proximal term."""
    return [Proximal([10.0, -3.0, 0.1], 0.7)]


def euclidean_loss() -> list[EuclideanLoss]:
    """Return a loss term, the mean over 16 parts."""
    return [EuclideanLoss([1.0, 2.0, 3.0], 1 / 16)]


def gaussian_prior() -> list[GaussianPrior]:
    """Return Gaussian priors in three and two dimensions."""
    return [GaussianPrior([10.0, -3.0, 0.1], _TILTED), GaussianPrior([0.0, 1.0], _THIN)]


def box_prior() -> list[BoxPrior]:
    """Return a quadratic and a linear one, the second flat on an axis."""
    return [
        BoxPrior([-5.0, 0.0, 1.0], [5.0, 8.0, 9.0], [1.0, 0.1, 2.0]),
        BoxPrior([0.0, 1.0], [4.0, 1.0], [0.5, 3.0], power=1),
    ]


def visibility() -> list[Visibility]:
    """Return costs of not being seen in a picture, and a reward."""
    return [Visibility([0.0, 0.0], [64.0, 48.0], -3.0), Visibility([-10.0] * 3, [10.0] * 3, 2.0, margin=7.0)]


def scaled() -> list[Scaled]:
    """Return multiples of both signs, of both arities."""
    return [Scaled(0.5, EuclideanLoss([1.0, 2.0, 3.0])), Scaled(-1 / 3, quadratic()[0])]
