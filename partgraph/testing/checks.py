"""Which checks apply to what."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

from partgraph.solver import Solver
from partgraph.testing import solver_checks

Check = Callable[[Any], None]

_CHECKS = {
    "hypothesis.strategies:SearchStrategy": "potential_checks",
    "partgraph.potentials:Potential": "potential_checks",
    "partgraph.graph:Graph": "graph_checks",
    "partgraph.learning.dataset:Dataset": "learning.dataset_checks",
    "partgraph.learning.model:Model": "learning.model_checks",
    "partgraph.learning.loss:Loss": "learning.loss_checks",
    "partgraph.testing.learning.loss_checks:LossCase": "learning.loss_checks",
    "pathlib:Path": "learning.experiment_checks",
}
"""Modules of checks, by what they are for. Of what needs torch nothing is imported before there is an instance."""


def checks_for(subject: object) -> Iterator[Check]:
    """Yield the checks of an instance: functions that take it and raise AssertionError where it fails.

    Parameters
    ----------
    subject : Potential, Graph, Solver, Model, Dataset, Loss, LossCase or Path
        What to check. A hypothesis strategy that draws potentials is checked as they are, with drawn parameters; a
        path as the folder of a trained network.

    Raises
    ------
    TypeError
        If there are no checks for such a thing.
    """
    if isinstance(subject, Solver):
        yield from solver_checks.EVERY
        if subject.exact:
            yield from solver_checks.EXACT
        return
    for interface, module in _CHECKS.items():
        if interface.partition(":")[0] in sys.modules and isinstance(
            subject, pkgutil.resolve_name(interface)
        ):
            yield from importlib.import_module(f"partgraph.testing.{module}").CHECKS
            return
    raise TypeError(
        f"there are checks for instances of Potential, Graph, Solver, Model, Dataset and Loss; found {subject!r}"
    )
