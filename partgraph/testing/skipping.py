"""Checks that need more than the core are skipped, with the reason, where it is not installed."""

from __future__ import annotations

import unittest
from importlib.util import find_spec


def needs(*packages: str) -> None:
    """Skip the check unless all packages are installed."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise unittest.SkipTest(f"{', '.join(missing)} is not installed")
