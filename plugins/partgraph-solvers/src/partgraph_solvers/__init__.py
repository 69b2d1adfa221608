"""Solvers for PartGraph: branch and bound on stars, ADMM and an exact solver on any graph.

The solvers are imported when they are first asked for: listing what is installed must not load compiled code.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from partgraph_solvers.admm import ADMM
    from partgraph_solvers.branch_and_bound import BranchAndBound
    from partgraph_solvers.exact import Exact
    from partgraph_solvers.kd_branch_and_bound import KDBranchAndBound

__version__ = "0.1.0"

__all__ = ["ADMM", "BranchAndBound", "Exact", "KDBranchAndBound"]

_MODULES = {
    "ADMM": "admm",
    "BranchAndBound": "branch_and_bound",
    "Exact": "exact",
    "KDBranchAndBound": "kd_branch_and_bound",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
