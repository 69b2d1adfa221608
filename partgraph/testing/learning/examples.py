"""Instances of the core's own data set and loss, for the conformance checks; see `partgraph.Component.examples`.

Both are made of what other plugins offer, so they are skipped where nothing suitable is installed.
"""

from __future__ import annotations

import unittest

from partgraph import plugins as registry
from partgraph.learning.experiment import Choice
from partgraph.learning.mixture import Member, Mixture
from partgraph.learning.structured import StructuredHinge
from partgraph.testing.learning.grid import GridModel
from partgraph.testing.learning.loss_checks import LossCase
from partgraph.testing.learning.options import plain_options
from partgraph.testing.registered import subjects


def mixture() -> list[Mixture]:
    """Return a mixture of the examples of an installed data set, in shares of 2 to 1."""
    for entry in registry.installed("dataset"):
        if entry.component.examples and not entry.missing and entry.name != "builtin:mixture":
            try:
                examples = subjects(entry)[:2]
            except unittest.SkipTest:
                continue
            choices = [Choice(entry.name, plain_options(example)) for example in examples]
            members = [Member(choice, share) for choice, share in zip(choices, (2.0, 1.0), strict=False)]
            return [Mixture(tuple(members), count=9)]
    raise unittest.SkipTest("it mixes other data sets; none is installed that has examples")


def structured_hinge() -> list[LossCase]:
    """Return the loss over an installed graph, with a network for its parts."""
    for entry in registry.installed("graph"):
        graph = registry.get("graph", entry.name)
        if graph.edges:
            return [LossCase(StructuredHinge(entry.name, n_best=3), GridModel(size=16, bins=2), graph.parts)]
    raise unittest.SkipTest("it searches over a graph; none is installed")
