"""``partgraph check NAME``: the conformance checks of one component, without a test file."""

from __future__ import annotations

import re
import tomllib
import unittest
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from cyclopts import Parameter
from hypothesis import settings

from partgraph import plugins as registry
from partgraph.cli.output import print_line
from partgraph.components import KINDS
from partgraph.errors import AmbiguousComponentError, PartGraphError, UnknownComponentError
from partgraph.plugins import Entry
from partgraph.testing.checks import checks_for
from partgraph.testing.registered import subjects
from partgraph.testing.words import EXAMPLE


class CheckError(PartGraphError, ValueError):
    """A component that cannot be checked here, or a wrong option."""


def check(
    name: Annotated[str, Parameter(help="Name of a component, as in `solvers:branch-and-bound`.")],
    *,
    kind: Annotated[
        str | None, Parameter(help="Its kind, where components of two kinds share a name.")
    ] = None,
    option: Annotated[
        list[str] | None,
        Parameter(
            negative=(), help="An option as in an experiment's file, `size=64` or `folder=data`; repeat it."
        ),
    ] = None,
    examples: Annotated[int, Parameter(help="How many examples each check draws.")] = 100,
) -> int:
    """Run the conformance checks on a component; exit with 1 if one fails."""
    entry = _find(name, kind)
    # Examples differ from run to run, and nothing is written to the folder the command is run in.
    settings.register_profile(
        "partgraph-check", max_examples=examples, deadline=None, database=None, report_multiple_bugs=False
    )
    settings.load_profile("partgraph-check")
    failed = 0
    for subject in _subjects(entry, option or ()):
        print_line(f"{entry.kind} {entry.name}: {subject!r}")
        for run in checks_for(subject):
            title = run.__name__.removeprefix("check_").replace("_", " ")
            try:
                run(subject)
            except unittest.SkipTest as reason:
                print_line(f"  skipped  {title} ({reason})")
            except Exception as error:  # a check fails by assertion, a broken component in any way
                failed += 1
                print_line(f"  FAILED   {title}")
                for line in _explained(run.__doc__ or "", error):
                    print_line(f"           {line}")
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


def _subjects(entry: Entry, options: Sequence[str]) -> list[Any]:
    """Return the component made with options, or else its examples."""
    if options:
        from partgraph.learning.experiment import Choice

        return [Choice(entry.name, dict(map(_option, options))).build(entry.kind)]
    try:
        return subjects(entry)
    except unittest.SkipTest as reason:
        raise CheckError(f"{entry.kind} {entry.name!r} cannot be checked as it is: {reason}") from None


def _option(text: str) -> tuple[str, Any]:
    """Return name and value of an option; what is no value of TOML is text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise CheckError(f"--option is NAME=VALUE; found {text!r}")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _explained(asked: str, error: Exception) -> Iterator[str]:
    """Yield what is asked of the component, what was found, and the smallest example hypothesis could find."""
    yield f"Asked: {' '.join(asked.split())}"
    said = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
    yield f"Found: {kind}{'; '.join(said)}"
    for note in getattr(error, "__notes__", ()):
        if note.startswith(EXAMPLE):
            yield from note.splitlines()
        elif drawn := re.match(r"Draw \d+ \((.*?)\): (.*)", note):
            yield f"  {drawn[1]} = {drawn[2]}"
