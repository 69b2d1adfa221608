"""The hooks of PartGraph: one registry per kind of component, and one policy.

A plugin is a module with functions of these names, marked with `hookimpl`, and an entry point in the group
``partgraph``. Registry hooks are generators of `partgraph.plugins.Component`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from partgraph.plugins import Component
    from partgraph.problem import Problem

PROJECT = "partgraph"
"""Name of the pluggy project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class PartGraphSpecs:
    """What a plugin may offer."""

    @hookspec
    def partgraph_unaries(self) -> Iterable[Component]:
        """Unary potentials: subclasses of `partgraph.Unary`."""
        raise NotImplementedError

    @hookspec
    def partgraph_pairwises(self) -> Iterable[Component]:
        """Pairwise potentials: subclasses of `partgraph.Pairwise`."""
        raise NotImplementedError

    @hookspec
    def partgraph_graphs(self) -> Iterable[Component]:
        """Graphs: a `partgraph.Graph`, or a function without arguments that returns a networkx graph."""
        raise NotImplementedError

    @hookspec
    def partgraph_solvers(self) -> Iterable[Component]:
        """Solvers: subclasses of `partgraph.Solver`."""
        raise NotImplementedError

    @hookspec
    def partgraph_models(self) -> Iterable[Component]:
        """Models: from a batch of images to one problem of tensors each."""
        raise NotImplementedError

    @hookspec
    def partgraph_datasets(self) -> Iterable[Component]:
        """Data sets: sequences of samples, an image with the positions of its parts."""
        raise NotImplementedError

    @hookspec
    def partgraph_losses(self) -> Iterable[Component]:
        """Losses: from a problem and the true positions to a scalar tensor."""
        raise NotImplementedError

    @hookspec
    def partgraph_experiments(self) -> Iterable[Component]:
        """Trained experiments: a function without arguments that returns the folder of weights and JSON."""
        raise NotImplementedError

    @hookspec(firstresult=True)
    def partgraph_default_solver(self, problem: Problem, installed: Sequence[str]) -> str | None:
        """Name the solver for `problem` when the user names none, or pass with None; the first answer wins."""
        raise NotImplementedError
