"""Everything a user can put right, as exceptions. Their messages say what was asked, what was found, what to do."""


class PartGraphError(Exception):
    """Base of the errors below; the command line prints their message and exits with code 2."""


class ProblemError(PartGraphError, ValueError):
    """A graph, potential, problem or file whose contents are wrong or do not fit together."""


class UnsupportedProblemError(PartGraphError, ValueError):
    """A solver was given a problem of a sort it does not solve."""


class SolveError(PartGraphError, RuntimeError):
    """A problem has no solution, or a solver reported one that does not hold."""


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
