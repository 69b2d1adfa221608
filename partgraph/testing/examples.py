"""Instances of the built-in potentials, for the conformance checks; see `partgraph.Component.examples`."""

from __future__ import annotations

from partgraph.potentials import EuclideanLoss, Linear, Proximal, Quadratic, Scaled


def quadratic() -> list[Quadratic]:
    """Return quadratics in two and three dimensions."""
    return [Quadratic([0.5, 2.0, 1e-3], [0.0, -30.0, 2.5]), Quadratic([1.0, 0.1], [1.0, 0.0])]


def linear() -> list[Linear]:
    """Return a linear term."""
    return [Linear([1.0, 0.0, -2.5])]


def proximal() -> list[Proximal]:
    """Return a proximal term."""
    return [Proximal([10.0, -3.0, 0.1], 0.7)]


def euclidean_loss() -> list[EuclideanLoss]:
    """Return a loss term, the mean over 16 parts."""
    return [EuclideanLoss([1.0, 2.0, 3.0], 1 / 16)]


def scaled() -> list[Scaled]:
    """Return multiples of both signs, of both arities."""
    return [Scaled(0.5, EuclideanLoss([1.0, 2.0, 3.0])), Scaled(-1 / 3, quadratic()[0])]
