"""The kit over every data set, model, loss and trained network that is installed here.

Potentials, graphs and solvers are checked by `tests/test_potentials.py`, `tests/test_graph.py` and the tests of the
plugins that offer them.
"""

import pytest

torch = pytest.importorskip("torch")

from partgraph import plugins  # noqa: E402
from partgraph.testing import parametrize_with_checks  # noqa: E402

INSTALLED = [
    entry for kind in ("dataset", "model", "loss", "experiment") for entry in plugins.installed(kind)
]


@parametrize_with_checks(INSTALLED)
def test_conformance(subject, check):
    check(subject)
