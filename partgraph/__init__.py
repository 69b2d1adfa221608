"""Structured prediction over part graphs: the best configuration of the parts of an object."""

from partgraph.candidates import Candidates
from partgraph.components import Component
from partgraph.errors import (
    AmbiguousComponentError,
    InvalidComponentError,
    PartGraphError,
    PluginLoadWarning,
    ProblemError,
    SolveError,
    SolveManyError,
    UnknownComponentError,
    UnsupportedProblemError,
)
from partgraph.graph import Graph, Star, Topology
from partgraph.graph_files import load_graph, save_graph
from partgraph.hookspecs import hookimpl
from partgraph.interval import Interval
from partgraph.io import load_problem, save_problem
from partgraph.many import solve_many
from partgraph.potentials import (
    BoxPrior,
    Cauchy,
    CompiledTerm,
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
    Scaled,
    Truncated,
    Unary,
    Visibility,
    get_include,
)
from partgraph.problem import Problem
from partgraph.reference import DynamicProgramming, Exhaustive
from partgraph.solver import Solution, Solver, Status, solve

__version__ = "0.1.0"

__all__ = [
    "AmbiguousComponentError",
    "BoxPrior",
    "Candidates",
    "Cauchy",
    "CompiledTerm",
    "Component",
    "DynamicProgramming",
    "EuclideanLoss",
    "Exhaustive",
    "FullQuadratic",
    "GaussianPrior",
    "Graph",
    "Huber",
    "Interval",
    "InvalidComponentError",
    "LimbLength",
    "Linear",
    "Mixture",
    "Pairwise",
    "PartGraphError",
    "PluginLoadWarning",
    "Potential",
    "Problem",
    "ProblemError",
    "Proximal",
    "Quadratic",
    "Scaled",
    "Solution",
    "SolveError",
    "SolveManyError",
    "Solver",
    "Star",
    "Status",
    "Topology",
    "Truncated",
    "Unary",
    "UnknownComponentError",
    "UnsupportedProblemError",
    "Visibility",
    "get_include",
    "hookimpl",
    "load_graph",
    "load_problem",
    "save_graph",
    "save_problem",
    "solve",
    "solve_many",
]
