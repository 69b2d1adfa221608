"""Calls of pytoulbar2. Its options are global, and each thread's own: one thread makes all calls, one after another."""

from __future__ import annotations

import functools
import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, final

import attrs
import numpy as np

from partgraph.errors import MissingPackageError
from partgraph_toulbar2.costs import Costs


@final
@attrs.frozen(eq=False)
class Found:
    """What a run of toulbar2 knows.

    Attributes
    ----------
    labels : array
        (M, N) intp, distinct configurations, as labels of the tables.
    lower_cost : float
        No configuration costs less.
    complete : bool
        Whether the run ended by itself: it then has the configuration with the lowest cost, or all that were asked for.
    nodes : int
        Nodes of its search.
    """

    labels: np.ndarray
    lower_cost: float
    complete: bool
    nodes: int


def cheapest(costs: Costs, seconds: float) -> Found:
    """Find the configuration that costs least; the others returned were met on the way."""
    return _on_its_thread(_run, costs, 0, seconds)


def all_within(costs: Costs, count: int, seconds: float) -> Found:
    """List the configurations that cost at most ``costs.most``, no more than `count` of them."""
    return _on_its_thread(_run, costs, count, seconds)


def _run(costs: Costs, count: int, seconds: float) -> Found:
    pytoulbar2 = _imported()
    network = pytoulbar2.CFN(float(costs.most + 1), resolution=0, verbose=-1)
    tables = costs.tables
    for part, own in enumerate(tables.labels):
        network.AddVariable(f"part{part}", range(len(own)))
    scopes = [(part,) for part in range(len(tables.unary))] + list(tables.links)
    for index, scope in enumerate(scopes):
        network.AddFunction(list(scope), costs.table(index).ravel().tolist())
    limit = 0 if seconds == math.inf else max(1, math.ceil(seconds))  # whole seconds; 0 is none
    try:
        network.Solve(allSolutions=count, timeLimit=limit)
        complete = not network.Option.limited
    finally:
        network.CFN.timerStop()
    found = network.GetSolutions()
    # At the end toulbar2's own bound may be that of its preprocessing.
    least = min((cost for cost, _ in found), default=float(costs.most + 1))
    lower = least if complete else network.GetDDualBound()
    labels = np.array([own for _, own in found], dtype=np.intp).reshape(-1, len(tables.labels))
    return Found(np.unique(labels, axis=0), float(lower), complete, int(network.GetNbNodes()))


def _on_its_thread(function: Any, *arguments: Any) -> Any:
    with _LOCK:
        thread = _thread(os.getpid())  # a forked process has no threads of its parent
    return thread.submit(function, *arguments).result()


_LOCK = threading.Lock()


@functools.cache
def _thread(process: int) -> ThreadPoolExecutor:
    _imported()
    from pytoulbar2 import pytb2

    return ThreadPoolExecutor(1, thread_name_prefix="toulbar2", initializer=pytb2.init)


def _imported() -> Any:
    try:
        import pytoulbar2
    except ImportError as error:
        raise MissingPackageError(
            "the solver toulbar2 needs the package pytoulbar2, which is not installed: pip install pytoulbar2"
        ) from error
    return pytoulbar2
