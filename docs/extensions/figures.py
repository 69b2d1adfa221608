"""Draws the figures of the theory anew whenever the site is built, so that they show what the solvers do now."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from theory.figures import FOLDER, draw


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("builder-inited", lambda app: draw(FOLDER))
    return {"parallel_read_safe": True}
