"""Discovery, look-up and every error of plugins."""

import textwrap
from types import SimpleNamespace

import networkx as nx
import pluggy
import pytest

from partgraph import (
    AmbiguousComponentError,
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
from partgraph.plugins import Component, Plugins

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
    with pytest.raises(
        InvalidComponentError, match="solver 'lab:x' needs no_such_package, which is not installed"
    ):
        plugins.get("solver", "x")


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
    with pytest.raises(pluggy.PluginValidationError, match="unknown hook 'partgraph_sovlers'"):
        plugins.register(SimpleNamespace(partgraph_sovlers=partgraph_sovlers), "lab")
    assert plugins.list() == before


def test_a_hook_with_unknown_arguments_is_an_error(plugins):
    @hookimpl
    def partgraph_solvers(colour):
        return []

    with pytest.raises(pluggy.PluginValidationError, match="colour"):
        plugins.register(SimpleNamespace(partgraph_solvers=partgraph_solvers), "lab")


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


# -- discovery, with distributions made for the test -------------------------------------------------------------


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return a function that installs a distribution with a plugin module, and only see such distributions."""

    def install(name, code, plugin=None):
        module = name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))
        info = tmp_path / f"{module}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[partgraph]\n{plugin or name} = {module}\n")

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PARTGRAPH_PLUGINS", "good,bad,worse,heavy")
    return install


GOOD = """
    from partgraph.plugins import Component, hookimpl

    @hookimpl
    def partgraph_solvers():
        yield Component("fine", "partgraph.reference:Exhaustive", "a solver")
"""


def test_installed_plugins_are_found(site):
    site("good-solvers", GOOD, plugin="good")
    plugins = Plugins()
    (entry,) = [entry for entry in plugins.list("solver") if entry.plugin == "good"]
    assert (entry.name, entry.distribution) == ("good:fine", "good-solvers 1.2")


def test_a_plugin_that_fails_to_import_leaves_the_rest_whole(site):
    site("good", GOOD)
    site("bad", "import no_such_package")
    site(
        "worse", "from partgraph.plugins import hookimpl\n@hookimpl\ndef partgraph_sovlers():\n    return []"
    )
    plugins = Plugins()
    with pytest.warns(PluginLoadWarning) as warned:
        assert plugins.get("solver", "fine") is Exhaustive
    assert str(warned[0].message) == (
        "plugin 'bad' (bad 1.2) failed to import: ModuleNotFoundError: No module named 'no_such_package'; "
        "its components are unavailable"
    )
    assert set(plugins.failures) == {"bad", "worse"}
    with pytest.raises(
        UnknownComponentError, match=r"Not loaded: plugin 'bad' \(ModuleNotFoundError: .*\), plugin 'worse'"
    ):
        plugins.get("solver", "bnb")


def test_two_distributions_with_one_plugin_name(site):
    site("good", GOOD)
    site("zweite", GOOD.replace("fine", "finer"), plugin="good")
    plugins = Plugins()
    with pytest.warns(
        PluginLoadWarning, match=r"plugin 'good' \(\w+ 1.2\) has the name of another plugin \(\w+ 1.2\)"
    ):
        assert len([entry for entry in plugins.list("solver") if entry.plugin == "good"]) == 1


def test_warnings_turned_into_errors_do_not_lose_plugins(site):
    site("bad", "import no_such_package")
    site("good", GOOD)
    plugins = Plugins()
    with pytest.raises(PluginLoadWarning):
        plugins.list()
    assert plugins.get("solver", "fine") is Exhaustive


def test_the_allow_list(site, monkeypatch):
    site("good", GOOD)
    site("bad", "raise SystemError('must not be imported')")
    monkeypatch.setenv("PARTGRAPH_PLUGINS", " good ")
    assert "good:fine" in [entry.name for entry in Plugins().list()]
    assert "bad" in Plugins().blocked
    monkeypatch.setenv("PARTGRAPH_PLUGINS", "")
    empty = Plugins()
    assert {entry.plugin for entry in empty.list()} == {"builtin"}
    assert {"good", "bad"} <= set(empty.blocked)


def test_a_blocked_plugin_is_not_imported(site):
    site("bad", "raise SystemError('must not be imported')")
    assert "bad" in Plugins(block=["bad"]).blocked


def test_finding_a_plugin_does_not_import_what_it_offers(site, tmp_path):
    site(
        "heavy",
        """
        from partgraph.plugins import Component, hookimpl

        @hookimpl
        def partgraph_solvers():
            yield Component("slow", "heavy_machinery:Slow", "a solver")
        """,
    )
    (tmp_path / "heavy_machinery.py").write_text("raise SystemError('imported')")
    plugins = Plugins()
    assert plugins.find("solver", "slow").status == "ready"
    with pytest.raises(SystemError, match="imported"):
        plugins.get("solver", "slow")
