"""``partgraph check NAME``: the conformance checks of one component, without a test file."""

from __future__ import annotations

import unittest
from typing import Annotated

from cyclopts import Parameter
from hypothesis import settings

from partgraph import plugins as registry
from partgraph.cli.output import print_line
from partgraph.components import KINDS
from partgraph.errors import AmbiguousComponentError, UnknownComponentError
from partgraph.plugins import Entry
from partgraph.testing.checks import checks_for
from partgraph.testing.registered import subjects


def check(
    name: Annotated[str, Parameter(help="Name of a component, as in `solvers:branch-and-bound`.")],
    *,
    kind: Annotated[
        str | None, Parameter(help="Its kind, where components of two kinds share a name.")
    ] = None,
    examples: Annotated[int, Parameter(help="How many examples each check draws.")] = 100,
) -> int:
    """Run the conformance checks on a component; exit with 1 if one fails."""
    entry = _find(name, kind)
    # Examples differ from run to run, and nothing is written to the folder the command is run in.
    settings.register_profile("partgraph-check", max_examples=examples, deadline=None, database=None)
    settings.load_profile("partgraph-check")
    failed = 0
    for subject in subjects(entry):
        print_line(f"{entry.kind} {entry.name}: {subject!r}")
        for run in checks_for(subject):
            title = run.__name__.removeprefix("check_").replace("_", " ")
            try:
                run(subject)
            except unittest.SkipTest as reason:
                print_line(f"  skipped  {title} ({reason})")
            except Exception as error:  # a check fails by assertion, a broken component in any way
                failed += 1
                print_line(f"  FAILED   {title}\n{_indented(error)}")
            else:
                print_line(f"  ok       {title}")
    print_line(f"{failed} failed" if failed else "all checks passed")
    return 1 if failed else 0


def _find(name: str, kind: str | None) -> Entry:
    if kind is not None:
        return registry.shared().find(kind, name)
    found = [entry for entry in registry.shared().list() if name in (entry.name, entry.component.name)]
    if not found:
        raise UnknownComponentError(
            f"nothing is called {name!r}; `partgraph plugins` lists what is installed"
        )
    kinds = [k for k in KINDS if any(entry.kind == k for entry in found)]
    if len(kinds) > 1:
        raise AmbiguousComponentError(f"{name!r} is a {' and a '.join(kinds)}; say which with --kind")
    return registry.shared().find(kinds[0], name)


def _indented(error: BaseException) -> str:
    """Return the error and hypothesis's notes, which hold the smallest counterexample."""
    lines = [f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]
    return "\n".join("           " + line for text in lines for line in text.splitlines())
