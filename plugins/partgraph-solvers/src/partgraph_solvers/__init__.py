"""Solvers for PartGraph: branch and bound on stars, ADMM on any graph."""

from partgraph_solvers.admm import ADMM
from partgraph_solvers.branch_and_bound import BranchAndBound

__version__ = "0.1.0"

__all__ = ["ADMM", "BranchAndBound"]
