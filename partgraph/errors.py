"""Everything a user can put right, as exceptions. Their messages say what was asked, what was found, what to do."""

from collections.abc import Sequence


class PartGraphError(Exception):
    """Base of the errors below; the command line prints their message and exits with code 2."""


class ProblemError(PartGraphError, ValueError):
    """A graph, potential, problem or file whose contents are wrong or do not fit together."""


class UnsupportedProblemError(PartGraphError, ValueError):
    """A solver was given a problem of a sort it does not solve."""


class SolveError(PartGraphError, RuntimeError):
    """A problem has no solution, or a solver reported one that does not hold."""


class SolveManyError(SolveError):
    """Some of many problems failed; the others' solutions are here.

    Attributes
    ----------
    answers : list of (Solution or Exception)
        One for each problem, in order.
    """

    def __init__(self, answers: Sequence[object]) -> None:
        super().__init__(answers)
        self.answers = answers

    def __str__(self) -> str:
        failed = [(k, each) for k, each in enumerate(self.answers) if isinstance(each, Exception)]
        first, error = failed[0]
        return (
            f"{len(failed)} of {len(self.answers)} problems failed; the first, at place {first}: "
            f"{type(error).__name__}: {error}. The others are solved: see this error's answers"
        )


class UnknownComponentError(PartGraphError, LookupError):
    """No plugin offers a component of that kind and name."""


class AmbiguousComponentError(PartGraphError, LookupError):
    """Several plugins offer a component of that kind and name."""


class InvalidComponentError(PartGraphError, TypeError):
    """A component cannot be imported, or is not what its kind asks for."""


class MissingPackageError(PartGraphError, ImportError):
    """An optional package is needed and not installed."""


class PluginLoadWarning(UserWarning):
    """A plugin failed to load; its components are unavailable, everything else works."""
