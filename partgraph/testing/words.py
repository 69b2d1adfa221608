"""Counterexamples in words: what a check drew, as a person would write it down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import numpy as np

from partgraph.interval import Interval
from partgraph.potentials import Potential
from partgraph.problem import Problem

EXAMPLE = "Smallest example:"
"""How a note that holds a counterexample begins."""


@contextmanager
def explained(*drawn: str) -> Iterator[None]:
    """Add a note with what was drawn to whatever is raised inside; of a shrunk example, hypothesis shows the last."""
    try:
        yield
    except Exception as error:
        error.add_note("\n".join([EXAMPLE, *("  " + line for text in drawn for line in text.splitlines())]))
        raise


def numbers(values: Any) -> str:
    """Return a number, or a point as ``(1, 2.5)``, with all its digits."""
    array = np.asarray(values)
    if array.ndim:
        return f"({', '.join(map(numbers, array))})"
    return repr(array.item()).removesuffix(".0")


def box(interval: Interval) -> str:
    """Return where a box is."""
    return f"from {numbers(interval.lo)} to {numbers(interval.hi)}"


def potential(term: Potential) -> str:
    """Return a potential with its parameters."""
    cls: Any = type(term)
    if not attrs.has(cls):
        return cls.__name__
    fields = [(field.name, getattr(term, field.name)) for field in attrs.fields(cls)]
    return f"{type(term).__name__}({', '.join(f'{name}={_value(value)}' for name, value in fields)})"


def problem(subject: Problem) -> str:
    """Return the parts with their candidates, and the edges with their terms, a line each."""
    return "\n".join(_problem(subject))


def _problem(subject: Problem) -> Iterator[str]:
    graph = subject.graph
    for part, own, terms in zip(graph.parts, subject.candidates, subject.unary, strict=True):
        places = (
            f"{numbers(at)} scored {numbers(score)}"
            for at, score in zip(own.positions, own.scores, strict=True)
        )
        yield f"{part} at {', or '.join(places)}" + "".join(f", and {potential(term)}" for term in terms)
    for edge, (term, anchors) in enumerate(zip(subject.pairwise, subject.anchors, strict=True)):
        seen = "" if anchors is None else f", seen from {', '.join(map(numbers, anchors))}"
        yield f"{graph.edge_name(edge)}: {potential(term)}{seen}"


def _value(value: Any) -> str:
    if isinstance(value, Potential):
        return potential(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, np.ndarray | np.generic | int | float):
        return numbers(value)
    return repr(value)
