"""Solvers for PartGraph: branch and bound on stars, ADMM and an exact solver on any graph."""

from partgraph_solvers.admm import ADMM
from partgraph_solvers.branch_and_bound import BranchAndBound
from partgraph_solvers.exact import Exact

__version__ = "0.1.0"

__all__ = ["ADMM", "BranchAndBound", "Exact"]
