"""toulbar2 as a solver of PartGraph. The solver is imported when it is first asked for, and toulbar2 when it solves."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from partgraph_toulbar2.solver import Toulbar2

__version__ = "0.1.0"

__all__ = ["Toulbar2"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.solver"), name)
