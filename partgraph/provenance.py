"""Provenance: which components a piece of work was given, and by which distributions, for its result file.

The registry says what it hands out; a recording is what it handed out meanwhile, chosen by name or by a policy, here
or in whatever was called. Recordings may be nested, and serve as decorators::

    @recording()
    def evaluate(...):
        ...
        return {"error": error, "components": answered()}
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from partgraph.components import Entry

_RECORD: ContextVar[dict[Entry, None] | None] = ContextVar("partgraph_provenance", default=None)


@contextmanager
def recording() -> Iterator[None]:
    """Record what the registry hands out from here to the end."""
    own: dict[Entry, None] = {}
    outer = _RECORD.get()
    token = _RECORD.set(own)
    try:
        yield
    finally:
        _RECORD.reset(token)
        if outer is not None:
            outer |= own


def note(entry: Entry) -> None:
    """Say that a component was handed out."""
    record = _RECORD.get()
    if record is not None:
        record[entry] = None


def answered() -> list[dict[str, str]]:
    """Return what this recording holds, sorted, as plain values: kind, qualified name, distribution with its version.

    Raises
    ------
    LookupError
        Outside of a recording.
    """
    record = _RECORD.get()
    if record is None:
        raise LookupError("nothing is recorded here; call this within partgraph.provenance.recording()")
    rows = sorted((entry.kind, entry.name, entry.distribution) for entry in record)
    return [{"kind": kind, "name": name, "distribution": distribution} for kind, name, distribution in rows]
