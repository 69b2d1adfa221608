"""No public name is missing from the reference: ``__all__`` of these modules against what Sphinx has described."""

from __future__ import annotations

import importlib
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

MODULES = (
    "partgraph",
    "partgraph.plugins",
    "partgraph.testing",
    "partgraph_solvers",
    "partgraph_torch",
    "partgraph_toulbar2",
)


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of every public name that no page describes."""
    described = {name.rpartition(".")[2] for name in env.get_domain("py").objects}
    for module in MODULES:
        missing = sorted(set(importlib.import_module(module).__all__) - described)
        if missing:
            logging.getLogger(__name__).warning(
                "public names of %s that no page of docs/reference describes: %s", module, ", ".join(missing)
            )


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True}
