"""Structured prediction over part graphs: the best configuration of the parts of an object."""

from partgraph.components import Component
from partgraph.graph import Graph, Star, Topology
from partgraph.hookspecs import hookimpl
from partgraph.interval import Interval
from partgraph.potentials import (
    EuclideanLoss,
    Linear,
    Pairwise,
    Potential,
    Proximal,
    Quadratic,
    Scaled,
    Unary,
)
from partgraph.problem import Candidates, Problem, ProblemError
from partgraph.reference import DynamicProgramming, Exhaustive
from partgraph.solver import Solution, SolveError, Solver, Status, UnsupportedProblemError, solve

__version__ = "0.1.0"

__all__ = [
    "Candidates",
    "Component",
    "DynamicProgramming",
    "EuclideanLoss",
    "Exhaustive",
    "Graph",
    "Interval",
    "Linear",
    "Pairwise",
    "Potential",
    "Problem",
    "ProblemError",
    "Proximal",
    "Quadratic",
    "Scaled",
    "Solution",
    "SolveError",
    "Solver",
    "Star",
    "Status",
    "Topology",
    "Unary",
    "UnsupportedProblemError",
    "hookimpl",
    "solve",
]
