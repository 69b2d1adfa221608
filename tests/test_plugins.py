"""Look-up of components, hooks, and every error of theirs. Discovery has tests of its own."""

import re
from types import SimpleNamespace

import networkx as nx
import pluggy
import pytest

from partgraph import (
    AmbiguousComponentError,
    DynamicProgramming,
    Exhaustive,
    Graph,
    InvalidComponentError,
    PluginLoadWarning,
    Solver,
    Topology,
    UnknownComponentError,
    hookimpl,
)
from partgraph.components import KINDS
from partgraph.hookspecs import PartGraphSpecs
from partgraph.plugins import Component

EXHAUSTIVE = "partgraph.reference:Exhaustive"


class Unfinished(Solver):
    exact = False

    def supports(self, problem):
        return None


class Cross(Graph):
    parts = ("center", "north", "south")
    edges = ((0, 1), (0, 2))

    def stars(self):
        return Topology(self.parts, self.edges).stars()


def triangle():
    return nx.cycle_graph(["a", "b", "c"])


def not_a_graph():
    return 3


SOMETHING = object()
HERE = __name__


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """Targets name this module; under importlib mode pytest may not have put it where imports look."""
    import sys

    monkeypatch.setitem(sys.modules, HERE, sys.modules.get(HERE) or SimpleNamespace(**globals()))


# -- look-up -----------------------------------------------------------------------------------------------------


def test_the_core_is_a_plugin_too(plugins):
    names = [entry.name for entry in plugins.list("solver")]
    assert names == ["builtin:dynamic-programming", "builtin:exhaustive"]
    assert plugins.get("solver", "exhaustive") is Exhaustive
    assert plugins.get("pairwise", "builtin:quadratic").__name__ == "Quadratic"


def test_a_plugin_is_found_by_short_and_qualified_name(plugins, temporary_plugin):
    temporary_plugin("lab", "lab-solvers 2.3", solvers=[Component("fast", EXHAUSTIVE, "quick")])
    assert plugins.get("solver", "fast") is plugins.get("solver", "lab:fast") is Exhaustive
    (entry,) = [entry for entry in plugins.list() if entry.plugin == "lab"]
    assert (entry.kind, entry.name, entry.distribution, entry.status) == (
        "solver",
        "lab:fast",
        "lab-solvers 2.3",
        "ready",
    )


def test_the_order_of_installation_does_not_matter(plugins, temporary_plugin):
    for name in ("zoo", "lab"):
        temporary_plugin(name, solvers=[Component(n, EXHAUSTIVE, "") for n in ("slow", "fast")])
    names = [entry.name for entry in plugins.list("solver")]
    assert names == sorted(names)
    assert [entry.kind for entry in plugins.list()] == sorted(
        (entry.kind for entry in plugins.list()), key=list(KINDS).index
    )


def test_an_unknown_name_lists_what_is_installed(plugins):
    plugins.block("lab")
    with pytest.raises(UnknownComponentError) as caught:
        plugins.get("solver", "bnb")
    assert str(caught.value) == (
        "no solver named 'bnb'. Installed: builtin:dynamic-programming, builtin:exhaustive. Blocked: lab."
    )
    with pytest.raises(UnknownComponentError, match=r"no model named 'x'\. Installed: none\."):
        plugins.get("model", "x")


def test_an_unknown_kind_lists_the_kinds(plugins):
    with pytest.raises(
        UnknownComponentError, match=r"no kind of component is called 'sovler'\. Kinds: unary, pairwise"
    ):
        plugins.get("sovler", "admm")


def test_two_plugins_with_one_name(plugins, temporary_plugin):
    temporary_plugin("solvers", "partgraph-solvers 0.1.0", solvers=[Component("admm", EXHAUSTIVE, "")])
    temporary_plugin("lab", "lab-solvers 2.3", solvers=[Component("admm", EXHAUSTIVE, "")])
    with pytest.raises(AmbiguousComponentError) as caught:
        plugins.get("solver", "admm")
    assert str(caught.value) == (
        "solver 'admm' is offered by lab (lab-solvers 2.3) and by solvers (partgraph-solvers 0.1.0). "
        "Ask for 'lab:admm' or 'solvers:admm'."
    )
    assert plugins.get("solver", "lab:admm") is Exhaustive


def test_one_plugin_with_one_name_twice(plugins, temporary_plugin):
    temporary_plugin("lab", solvers=[Component("fast", EXHAUSTIVE, ""), Component("fast", EXHAUSTIVE, "")])
    with pytest.raises(AmbiguousComponentError, match="'lab:fast' is offered twice by the plugin 'lab'"):
        plugins.get("solver", "lab:fast")


# -- targets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "target", "message"),
    [
        (
            "solver",
            f"{HERE}:Unfinished",
            "solver 'lab:x' -> .*:Unfinished is abstract; it does not implement compute()",
        ),
        ("solver", f"{HERE}:Missing", "cannot be imported: AttributeError: .*Missing"),
        (
            "solver",
            "no_such_package.x:Y",
            "cannot be imported: ModuleNotFoundError: No module named 'no_such_package'",
        ),
        ("solver", "partgraph:Quadratic", "is class Quadratic; a solver must be a partgraph.solver:Solver"),
        ("unary", "partgraph:Quadratic", "is class Quadratic; a unary must be a partgraph.potentials:Unary"),
        ("pairwise", f"{HERE}:SOMETHING", "is a object; a pairwise must be a partgraph.potentials:Pairwise"),
        ("graph", f"{HERE}:not_a_graph", "returned a int; it must return a networkx graph"),
        ("experiment", f"{HERE}:not_a_graph", "returned a int; it must return a pathlib.Path"),
    ],
)
def test_a_target_that_does_not_fit(plugins, temporary_plugin, kind, target, message):
    hook = KINDS[kind].hook.removeprefix("partgraph_")
    temporary_plugin("lab", **{hook: [Component("x", target, "")]})
    with pytest.raises(InvalidComponentError, match=message):
        plugins.get(kind, "x")


@pytest.mark.parametrize("target", ["triangle", "Cross"])
def test_graphs_are_made(plugins, temporary_plugin, target):
    temporary_plugin("lab", graphs=[Component("x", f"{HERE}:{target}", "")])
    graph = plugins.get("graph", "x")
    assert isinstance(graph, Graph)
    assert len(graph.parts) == 3


def test_a_missing_package_is_named_before_anything_is_imported(plugins, temporary_plugin):
    temporary_plugin(
        "lab", solvers=[Component("x", "lab.broken:X", "", requires=("no_such_package", "numpy"))]
    )
    (entry,) = [entry for entry in plugins.list("solver") if entry.plugin == "lab"]
    assert entry.status == "needs no_such_package"
    with pytest.raises(InvalidComponentError) as caught:
        plugins.get("solver", "x")
    assert str(caught.value) == (
        "solver 'lab:x' needs no_such_package, which is not installed. Install it with: pip install no_such_package"
    )


def test_a_missing_package_may_come_with_an_extra(plugins, temporary_plugin):
    needy = Component("x", "lab.broken:X", "", requires=("no_such_package",), extra="gpu")
    temporary_plugin("lab", "lab-solvers 2.3", solvers=[needy])
    with pytest.raises(InvalidComponentError, match=r"Install it with: pip install 'lab-solvers\[gpu\]'$"):
        plugins.get("solver", "x")


def test_what_the_core_needs_torch_for_comes_with_an_extra_of_its_own(plugins):
    needy = [entry for entry in plugins.list() if entry.component.requires]
    assert needy
    assert {entry.remedy for entry in needy} == {"pip install 'partgraph[learning]'"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("Fast Solver", EXHAUSTIVE, ""),
            "lower-case words joined by '-', as in 'branch-and-bound'; found 'Fast Solver'",
        ),
        (("fast", "partgraph.reference.Exhaustive", ""), "target is 'module:attribute', as in"),
        (("fast", EXHAUSTIVE, "", (), "nowhere"), "examples is 'module:attribute', as in"),
    ],
)
def test_a_component_that_is_misspelt(arguments, message):
    with pytest.raises(ValueError, match=message):
        Component(*arguments)


# -- hooks -------------------------------------------------------------------------------------------------------


def test_every_kind_has_its_hook_and_every_hook_its_words():
    hooks = {name for name in vars(PartGraphSpecs) if name.startswith("partgraph_")}
    assert hooks == {kind.hook for kind in KINDS.values()} | {"partgraph_default_solver"}
    for hook in hooks:
        assert getattr(PartGraphSpecs, hook).__doc__


@pytest.mark.parametrize("name", sorted(kind.hook for kind in KINDS.values()))
def test_every_registry_hook_is_read(plugins, name):
    kind = next(kind for kind, spec in KINDS.items() if spec.hook == name)

    def implementation():
        yield Component("thing", "lab.things:Thing", "a thing")

    implementation.__name__ = name
    plugins.register(SimpleNamespace(**{name: hookimpl(implementation)}), "lab")
    assert "lab:thing" in [entry.name for entry in plugins.list(kind)]


def test_a_misspelt_hook_is_an_error_and_leaves_nothing_behind(plugins):
    @hookimpl
    def partgraph_sovlers():
        return []

    before = plugins.list()
    with pytest.raises(
        pluggy.PluginValidationError,
        match=r"unknown hook 'partgraph_sovlers'; did its author mean 'partgraph_solvers'\? If not, the plugin was "
        r"written for another version than partgraph .*: upgrade one of the two",
    ):
        plugins.register(SimpleNamespace(partgraph_sovlers=partgraph_sovlers), "lab")
    assert plugins.list() == before


def test_a_hook_of_a_newer_version_may_be_optional(plugins):
    @hookimpl(optionalhook=True)
    def partgraph_renderers(scene):
        raise AssertionError("must not be called")

    @hookimpl
    def partgraph_solvers():
        yield Component("fast", EXHAUSTIVE, "quick")

    hooks = SimpleNamespace(partgraph_renderers=partgraph_renderers, partgraph_solvers=partgraph_solvers)
    plugins.register(hooks, "lab")
    assert plugins.get("solver", "lab:fast") is Exhaustive


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "problem, names",
            "hook 'partgraph_default_solver' asks for 'names', but is given 'problem', 'installed'; ",
        ),
        ("problem, installed, device", "hook 'partgraph_default_solver' asks for 'device', but is given"),
    ],
)
def test_a_hook_with_arguments_of_another_version_is_an_error(plugins, arguments, message):
    names = {}
    exec(f"def partgraph_default_solver({arguments}): return None", names)
    hook = hookimpl(names["partgraph_default_solver"])
    with pytest.raises(pluggy.PluginValidationError, match=message + ".*upgrade one of the two|" + message):
        plugins.register(SimpleNamespace(partgraph_default_solver=hook), "lab")


@pytest.mark.parametrize("arguments", ["", "problem", "installed"])
def test_a_hook_may_have_fewer_arguments(plugins, arm, arguments):
    names = {}
    exec(f"def partgraph_default_solver({arguments}): return 'builtin:exhaustive'", names)
    hook = hookimpl(names["partgraph_default_solver"])
    plugins.register(SimpleNamespace(partgraph_default_solver=hook), "lab")
    assert plugins.default_solver(arm) == "builtin:exhaustive"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (
            "yield ('fast', 'lab:Fast')",
            r"TypeError: a hook yields values of partgraph.Component; found \('fast'",
        ),
        (
            "yield Component('x', 'lab:X', '', colour='red')",
            "TypeError: .*unexpected keyword argument 'colour'",
        ),
    ],
)
def test_components_of_another_version_are_a_failure(plugins, code, why):
    names = {"Component": Component}
    exec(f"def partgraph_solvers(): {code}", names)
    plugins.register(
        SimpleNamespace(partgraph_solvers=hookimpl(names["partgraph_solvers"])), "lab", "lab 9.0"
    )
    with pytest.warns(
        PluginLoadWarning, match=r"plugin 'lab' \(lab 9.0\) failed to list its solver components"
    ):
        assert len(plugins.list("solver")) == 2
    assert plugins.get("solver", "exhaustive") is Exhaustive  # and nobody is warned again
    (state,) = [state for state in plugins.states() if state.plugin == "lab"]
    assert re.match(f"failed: {why}", state.status)


def test_policies_are_asked_in_the_reverse_order_of_names_whoever_came_first(plugins, arm):
    def policy(answer):
        def partgraph_default_solver():
            return answer

        return SimpleNamespace(partgraph_default_solver=hookimpl(partgraph_default_solver))

    for name in ("zoo", "lab"):
        plugins.register(policy(f"{name}:best"), name)
    assert plugins.default_solver(arm) == "zoo:best"
    plugins.block("zoo")
    assert plugins.default_solver(arm) == "lab:best"
    plugins.block("lab")
    assert plugins.default_solver(arm) == "builtin:dynamic-programming"


def test_nobody_looks_for_packages_unless_a_policy_asks(plugins, arm, monkeypatch):
    looked = []
    monkeypatch.setattr("partgraph.components.find_spec", looked.append)
    needy = Component("needy", "lab:Needy", "", requires=("nowhere",))
    lab = SimpleNamespace(partgraph_solvers=hookimpl(lambda: [needy], specname="partgraph_solvers"))
    plugins.register(lab, "lab")
    assert plugins.default_solver(arm) == "builtin:dynamic-programming"
    assert looked == []

    def partgraph_default_solver(installed):
        return ", ".join(installed)

    plugins.register(SimpleNamespace(partgraph_default_solver=hookimpl(partgraph_default_solver)), "zoo")
    assert plugins.default_solver(arm) == "builtin:dynamic-programming, builtin:exhaustive"
    assert looked == ["nowhere"]


def test_what_was_asked_for_before_is_looked_up_anew_when_plugins_change(plugins):
    def offering(target):
        fast = Component("fast", target, "")
        return SimpleNamespace(partgraph_solvers=hookimpl(lambda: [fast], specname="partgraph_solvers"))

    plugins.register(offering("partgraph.reference:Exhaustive"), "lab")
    assert plugins.get("solver", "fast") is plugins.get("solver", "fast") is Exhaustive
    plugins.register(offering("partgraph.reference:DynamicProgramming"), "zoo")
    with pytest.raises(AmbiguousComponentError):
        plugins.get("solver", "fast")
    plugins.block("lab")
    assert plugins.get("solver", "fast") is DynamicProgramming
    with pytest.raises(UnknownComponentError):
        plugins.get("solver", "lab:fast")


def test_a_policy_that_fails_is_passed_over(plugins, arm):
    def partgraph_default_solver():
        raise RuntimeError("out of order")

    plugins.register(SimpleNamespace(partgraph_default_solver=hookimpl(partgraph_default_solver)), "lab")
    with pytest.warns(PluginLoadWarning, match="failed to choose a solver: out of order"):
        assert plugins.default_solver(arm) == "builtin:dynamic-programming"


def test_a_plugin_is_registered_once(plugins):
    module = SimpleNamespace()
    plugins.register(module, "lab")
    with pytest.raises(ValueError, match="a plugin is called 'lab' already"):
        plugins.register(SimpleNamespace(more=1), "lab")
    with pytest.raises(ValueError, match="the plugin 'lab' is the same module"):
        plugins.register(module, "other")


def test_a_plugin_that_fails_to_list_leaves_the_rest_whole(plugins):
    @hookimpl
    def partgraph_solvers():
        raise RuntimeError("out of order")

    plugins.register(SimpleNamespace(partgraph_solvers=partgraph_solvers), "lab", "lab 1.0")
    with pytest.warns(
        PluginLoadWarning, match=r"plugin 'lab' \(lab 1.0\) failed to list its solver components"
    ):
        assert len(plugins.list("solver")) == 2
    assert plugins.failures == {"lab": "RuntimeError: out of order"}


def test_blocking(plugins, temporary_plugin):
    temporary_plugin("lab", solvers=[Component("fast", EXHAUSTIVE, "")])
    plugins.block("lab")
    assert plugins.blocked == ("lab",)
    with pytest.raises(UnknownComponentError, match="Blocked: lab"):
        plugins.get("solver", "fast")
    with pytest.raises(ValueError, match="built-in components cannot be blocked"):
        plugins.block("builtin")
