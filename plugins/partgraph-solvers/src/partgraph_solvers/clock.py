"""A limit of time that long computations look at now and then."""

from __future__ import annotations

import math
import time


class OutOfTime(Exception):
    """Raised where a computation notices that its time is over; whoever set the limit catches it."""


class Clock:
    """Time from now on, s; None: no limit."""

    def __init__(self, seconds: float | None = None) -> None:
        self._end = math.inf if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float:
        """How many seconds are left: at least 0, inf without a limit."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise `OutOfTime` if nothing is left."""
        if time.monotonic() >= self._end:
            raise OutOfTime
