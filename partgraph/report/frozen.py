"""Converters for the fields of frozen values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def as_tuple(values: Iterable[Any]) -> tuple[Any, ...]:
    """The values as a tuple; ``tuple`` itself is too generic for type checkers to see through as a converter."""
    return tuple(values)
