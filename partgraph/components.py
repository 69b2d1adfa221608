"""Kinds of components, what one is registered as and by whom, and how its target is imported and checked."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

import attrs

from partgraph.errors import InvalidComponentError


@final
@attrs.frozen
class Kind:
    """A sort of component.

    Attributes
    ----------
    hook : str
        Name of the registry hook.
    interface : str
        Import string of what a target must be; it is imported only when a target is checked.
    """

    hook: str
    interface: str


KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        "unary": Kind("partgraph_unaries", "partgraph.potentials:Unary"),
        "pairwise": Kind("partgraph_pairwises", "partgraph.potentials:Pairwise"),
        "graph": Kind("partgraph_graphs", "partgraph.graph:Graph"),
        "solver": Kind("partgraph_solvers", "partgraph.solver:Solver"),
        "model": Kind("partgraph_models", "partgraph.learning.model:Model"),
        "dataset": Kind("partgraph_datasets", "partgraph.learning.dataset:Dataset"),
        "loss": Kind("partgraph_losses", "partgraph.learning.loss:Loss"),
        "experiment": Kind("partgraph_experiments", "pathlib:Path"),
    }
)
"""What plugins can add. `get` returns a class or an instance of the interface; graphs and experiments are instances."""


def _kebab(instance: Any, attribute: Any, value: str) -> None:
    if not re.fullmatch(r"[a-z0-9]+([-.][a-z0-9]+)*", value):
        raise ValueError(
            f"a component's name is lower-case words joined by '-', as in 'branch-and-bound'; found {value!r}"
        )


def _import_string(instance: Any, attribute: Any, value: str) -> None:
    if value and not re.fullmatch(r"[\w.]+:[\w.]+", value):
        raise ValueError(
            f"a component's {attribute.name} is 'module:attribute', as in 'lab.solvers:Fast'; found {value!r}"
        )


def _names(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)  # tuple itself as a converter hides the type from checkers


@final
@attrs.frozen
class Component:
    """One thing a plugin offers: a name, and where to import it from when it is first used.

    Attributes
    ----------
    name : str
        Lower-case words joined by hyphens: ``"branch-and-bound"``.
    target : str
        Import string, ``"partgraph_solvers.branch_and_bound:BranchAndBound"``.
    summary : str
        One line, shown by ``partgraph plugins``.
    requires : tuple of str
        Import names of optional packages the target needs.
    examples : str
        Import string of a function that returns instances for the conformance checks; needed where the target
        is a class that cannot be made without arguments. Empty for none.
    extra : str
        The extra of the plugin's distribution that brings these packages, as in ``"gpu"`` for
        ``pip install 'lab-solvers[gpu]'``; empty where their import names are what to install.
    """

    name: str = attrs.field(validator=_kebab)
    target: str = attrs.field(validator=_import_string)
    summary: str
    requires: tuple[str, ...] = attrs.field(converter=_names, default=())
    examples: str = attrs.field(default="", validator=_import_string)
    extra: str = ""


@final
@attrs.frozen
class Entry:
    """A component, and who offers it.

    Attributes
    ----------
    kind : str
        A key of `partgraph.components.KINDS`.
    plugin : str
        Name of the plugin: the name of its entry point, or ``builtin``.
    distribution : str
        Name and version, ``"partgraph-solvers 0.1.0"``; empty for a plugin registered by hand.
    component : Component
        What is offered.
    """

    kind: str
    plugin: str
    distribution: str
    component: Component

    @property
    def name(self) -> str:
        """Qualified name, ``"solvers:admm"``."""
        return f"{self.plugin}:{self.component.name}"

    @property
    def missing(self) -> tuple[str, ...]:
        """Packages the component needs and that are not installed; nothing is imported to find out."""
        return tuple(name for name in self.component.requires if find_spec(name.partition(".")[0]) is None)

    @property
    def remedy(self) -> str:
        """The command that installs what is missing."""
        if self.component.extra and self.distribution:
            return f"pip install '{self.distribution.partition(' ')[0]}[{self.component.extra}]'"
        return f"pip install {' '.join(self.missing)}"

    @property
    def status(self) -> str:
        """``ready``, or what is missing: ``needs torch``."""
        return f"needs {', '.join(self.missing)}" if self.missing else "ready"


def resolve(kind: str, name: str, component: Component) -> Any:
    """Import the target of a component and return it if it is what its kind asks for.

    Parameters
    ----------
    kind, name : str
        The kind, and the qualified name for messages.
    component : Component
        What to import.

    Returns
    -------
    object
        A concrete class of the kind's interface, or an instance of it. For kind ``graph`` always a
        `partgraph.Graph`; for kind ``experiment`` the folder.

    Raises
    ------
    InvalidComponentError
        If the import fails or the target does not fit; the message says what is missing.
    """
    where = f"{kind} {name!r} -> {component.target}"
    try:
        target = pkgutil.resolve_name(component.target)
    except (Exception, SystemExit) as error:  # whatever the module of a plugin does when it is imported
        raise InvalidComponentError(f"{where} cannot be imported: {type(error).__name__}: {error}") from error
    interface = pkgutil.resolve_name(KINDS[kind].interface)
    if isinstance(target, type) and issubclass(target, interface):
        if inspect.isabstract(target):
            missing = ", ".join(
                f"{method}()" for method in sorted(getattr(target, "__abstractmethods__", ()))
            )
            raise InvalidComponentError(f"{where} is abstract; it does not implement {missing}.")
        return target() if kind == "graph" else target
    if isinstance(target, interface):
        return target
    if kind in ("graph", "experiment") and callable(target) and not isinstance(target, type):
        return _call(kind, where, target)
    found = f"class {target.__name__}" if isinstance(target, type) else f"a {type(target).__name__}"
    raise InvalidComponentError(f"{where} is {found}; a {kind} must be a {KINDS[kind].interface}.")


def _call(kind: str, where: str, function: Any) -> Any:
    from networkx import Graph as NetworkxGraph

    from partgraph.graph import Graph, Topology

    result = function()
    if kind == "graph" and isinstance(result, NetworkxGraph):
        return Topology.from_networkx(result)
    if isinstance(result, Graph if kind == "graph" else Path):
        return result
    expected = "networkx graph" if kind == "graph" else "pathlib.Path"
    raise InvalidComponentError(f"{where}() returned a {type(result).__name__}; it must return a {expected}.")
