"""Small instances for the conformance checks; see `partgraph.Component.examples`."""

from __future__ import annotations

import unittest

from partgraph.learning.dataset import Dataset
from partgraph_humanpose.synthetic import SyntheticHuman


def synthetic_human() -> list[SyntheticHuman]:
    """Return a few small pictures of two splits."""
    return [SyntheticHuman(count=6, size=32), SyntheticHuman(split="test", count=6, size=32)]


def from_files() -> list[Dataset]:
    """Skip: these data sets are read from files that users bring themselves."""
    raise unittest.SkipTest("its files are not shipped; check your own with --option folder=FOLDER")
