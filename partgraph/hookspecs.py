"""The hooks of PartGraph: one registry per kind of component, and one policy.

A plugin is a module with functions of these names, marked with `hookimpl`, and an entry point that names the module::

    # pyproject.toml
    [project.entry-points.partgraph]
    lab = "partgraph_lab.plugin"

Registry hooks are generators of `partgraph.Component`. A component says by a string where its target is, so that
the module imports nothing heavy. A hook may be implemented with fewer arguments than it is specified with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from partgraph.components import Component
    from partgraph.problem import Problem

PROJECT = "partgraph"
"""Name of the pluggy project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class PartGraphSpecs:
    """What a plugin may offer."""

    @hookspec
    def partgraph_unaries(self) -> Iterable[Component]:
        """Offer unary potentials: subclasses of `partgraph.Unary`.

        Examples::

            @hookimpl
            def partgraph_unaries():
                yield Component("floor", "partgraph_lab.floor:Floor", "parts stay above the ground")
        """
        raise NotImplementedError

    @hookspec
    def partgraph_pairwises(self) -> Iterable[Component]:
        """Offer pairwise potentials: subclasses of `partgraph.Pairwise`.

        A class that needs arguments names a function that returns instances, for ``partgraph check``. Examples::

            @hookimpl
            def partgraph_pairwises():
                yield Component(
                    "huber", "partgraph_lab.huber:Huber", "robust displacement", examples="partgraph_lab.huber:examples"
                )
        """
        raise NotImplementedError

    @hookspec
    def partgraph_graphs(self) -> Iterable[Component]:
        """Offer graphs: a `partgraph.Graph`, or a function without arguments that returns a networkx graph.

        Examples::

            @hookimpl
            def partgraph_graphs():
                yield Component("hand", "partgraph_lab.graphs:hand", "21 joints, fingers tied to each other")
        """
        raise NotImplementedError

    @hookspec
    def partgraph_solvers(self) -> Iterable[Component]:
        """Offer solvers: subclasses of `partgraph.Solver` that can be made without arguments, or instances.

        Examples::

            @hookimpl
            def partgraph_solvers():
                yield Component("tabu", "partgraph_lab.tabu:Tabu", "approximate, any graph", requires=("numba",))
        """
        raise NotImplementedError

    @hookspec
    def partgraph_models(self) -> Iterable[Component]:
        """Offer models, from images to problems: subclasses of `partgraph.learning.model.Model`.

        Examples::

            @hookimpl
            def partgraph_models():
                yield Component("unet", "partgraph_lab.unet:UNet", "heatmaps", requires=("torch",))
        """
        raise NotImplementedError

    @hookspec
    def partgraph_datasets(self) -> Iterable[Component]:
        """Offer data sets of images with true positions: subclasses of `partgraph.learning.dataset.Dataset`.

        Examples::

            @hookimpl
            def partgraph_datasets():
                yield Component("mugs", "partgraph_lab.mugs:Mugs", "handles, rims and bottoms of 300 mugs")
        """
        raise NotImplementedError

    @hookspec
    def partgraph_losses(self) -> Iterable[Component]:
        """Offer losses, what training makes small: subclasses of `partgraph.learning.loss.Loss`.

        Examples::

            @hookimpl
            def partgraph_losses():
                yield Component("focal", "partgraph_lab.focal:Focal", "rare voxels count more", requires=("torch",))
        """
        raise NotImplementedError

    @hookspec
    def partgraph_experiments(self) -> Iterable[Component]:
        """Offer trained experiments: a function without arguments that returns their folder (weights and JSON).

        Examples::

            @hookimpl
            def partgraph_experiments():
                yield Component("mugs-small", "partgraph_lab.weights:mugs_small", "5 MB, trained on mugs")
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def partgraph_default_solver(self, problem: Problem, installed: Sequence[str]) -> str | None:
        """Name a solver for `problem` when the user named none, or pass with None. The first answer wins.

        Plugins are asked in the reverse order of their names, the core last. Examples::

            @hookimpl
            def partgraph_default_solver(problem):
                return "lab:tabu" if len(problem.graph.parts) > 100 else None

        Parameters
        ----------
        problem : Problem
            Detached and checked.
        installed : sequence of str
            Qualified names of the solvers whose packages are installed.
        """
        raise NotImplementedError
