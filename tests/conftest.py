"""Profiles of hypothesis, and fixtures for everybody."""

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import Phase, settings

from partgraph import Candidates, Problem, Quadratic, Topology

pytest_plugins = ["partgraph.testing.fixtures"]

settings.register_profile("dev", deadline=None, max_examples=25)
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True, print_blob=True)
settings.register_profile(  # the same draws every time: what is spoilt must be found, and is rare in some
    "any-example", deadline=None, max_examples=100, derandomize=True, phases=[Phase.generate], database=None
)
PROFILE = "ci" if os.environ.get("CI") else "dev"
settings.load_profile(PROFILE)


@pytest.fixture
def any_example():
    """Let hypothesis stop at any failing example: looking for the smallest takes most of the time."""
    settings.load_profile("any-example")
    yield
    settings.load_profile(PROFILE)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def arm() -> Problem:
    """Three parts in a chain, with an anchored edge and a forbidden candidate."""
    graph = Topology(["shoulder", "elbow", "wrist"], [(0, 1), (2, 1)])
    candidates = [
        Candidates([[0.0, 0, 0], [5, 0, 0]], [1.0, 0.5]),
        Candidates([[0.0, 30, 0], [10, 20, 0], [0, 31, 1]], [0.0, 2.0, -np.inf]),
        Candidates([[0.0, 55, 5], [0, 0, 50]], [0.2, 0.1]),
    ]
    pairwise = [
        Quadratic([0.01, 0.01, 0.02], [0.0, 30, 0]),
        Quadratic([0.01, 0.01, 0.01], [0.0, -25, 0]),
    ]
    return Problem(graph, candidates, pairwise, anchors=[None, [[0.0, 54, 4], [1, 1, 50]]])


@pytest.fixture
def python() -> Callable[[str], str]:
    """Run code in a fresh interpreter and return what it prints."""

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
