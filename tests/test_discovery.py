"""Discovery, with distributions made for the test: what is found, refused, shadowed or broken, and what it costs."""

import json
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from partgraph import Exhaustive, InvalidComponentError, PluginLoadWarning, UnknownComponentError
from partgraph.plugins import Plugins


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return a function that installs a distribution with a plugin module, and see only such distributions."""
    names = []

    def install(name, code, plugin=None, requires=()):
        module = name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))
        info = tmp_path / f"{module}-1.2.dist-info"
        info.mkdir()
        lines = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n{lines}")
        (info / "entry_points.txt").write_text(f"[partgraph]\n{plugin or name} = {module}\n")
        names.append(name)
        monkeypatch.setenv("PARTGRAPH_PLUGINS", ",".join(names))

    monkeypatch.syspath_prepend(tmp_path)
    yield install
    for name in names:
        sys.modules.pop(name.replace("-", "_"), None)


GOOD = """
    from partgraph.plugins import Component, hookimpl

    @hookimpl
    def partgraph_solvers():
        yield Component("fine", "partgraph.reference:Exhaustive", "a solver")
"""


def status(plugins):
    """The states of plugins other than the core, by distribution."""
    return {
        state.distribution or state.plugin: state.status
        for state in plugins.states()
        if state.status != "blocked"
    }


def test_installed_plugins_are_found(site):
    site("good-solvers", GOOD, plugin="good")
    plugins = Plugins()
    (entry,) = [entry for entry in plugins.list("solver") if entry.plugin == "good"]
    assert (entry.name, entry.distribution) == ("good:fine", "good-solvers 1.2")
    assert status(plugins)["good-solvers 1.2"] == "loaded"


# -- what fails --------------------------------------------------------------------------------------------------


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
        "install what provides it, as in: pip install no_such_package; its components are unavailable"
    )
    assert set(plugins.failures) == {"bad", "worse"}
    with pytest.raises(
        UnknownComponentError, match=r"Not loaded: plugin 'bad' \(ModuleNotFoundError: .*\), plugin 'worse'"
    ):
        plugins.get("solver", "bnb")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (
            "from partgraph import Renderer",
            "ImportError: .*Renderer.*written for another version than partgraph .*",
        ),
        (
            "import partgraph.no_such_part",
            "ModuleNotFoundError: .*written for another version than partgraph .*",
        ),
        ("import no_such.part", "ModuleNotFoundError: .*pip install no_such"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError: .*"),
    ],
)
def test_whatever_a_plugin_does_when_it_is_imported(site, code, why):
    site("bad", code)
    site("good", GOOD)
    plugins = Plugins()
    with pytest.warns(PluginLoadWarning, match=f"plugin 'bad' .* failed to import: {why}; its components"):
        assert plugins.get("solver", "fine") is Exhaustive


def test_warnings_turned_into_errors_do_not_lose_plugins(site):
    site("bad", "import no_such_package")
    site("good", GOOD)
    plugins = Plugins()
    with pytest.raises(PluginLoadWarning):
        plugins.list()
    assert plugins.get("solver", "fine") is Exhaustive


# -- what is written for another version -------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [">=99", "<0.1", ">=0.1,<0.1.0"])
def test_a_plugin_of_another_version_is_not_imported(site, asked):
    site(
        "bad",
        "raise AssertionError('must not be imported')",
        requires=[f"partgraph[learning]{asked}", "numpy"],
    )
    site("good", GOOD, requires=["partgraph>=0.1", "no-such-package; extra == 'more'", "?"])
    plugins = Plugins()
    with pytest.warns(PluginLoadWarning, match=r"plugin 'bad' \(bad 1.2\) is not loaded: needs partgraph"):
        assert plugins.get("solver", "fine") is Exhaustive
    assert status(plugins)["bad 1.2"].startswith("needs partgraph")
    assert status(plugins)["bad 1.2"].endswith("but 0.1.0 is installed; upgrade one of the two")
    with pytest.raises(UnknownComponentError, match=r"Not loaded: plugin 'bad' \(needs partgraph"):
        plugins.get("solver", "bad:fast")


# -- one name, two distributions ---------------------------------------------------------------------------------


def test_of_two_distributions_with_one_plugin_name_the_first_by_its_own_has_it(site, monkeypatch):
    site("zweite", GOOD.replace("fine", "finer"), plugin="good")
    site("good", GOOD)
    plugins = Plugins()
    with pytest.warns(PluginLoadWarning, match=r"'good' \(zweite 1.2\) is not loaded: shadowed by good 1.2"):
        assert plugins.find("solver", "good:fine").distribution == "good 1.2"
    assert status(plugins)["zweite 1.2"] == "shadowed by good 1.2"
    monkeypatch.setenv("PARTGRAPH_PLUGINS", "zweite")  # distributions have names, too
    assert Plugins().find("solver", "good:finer").distribution == "zweite 1.2"


def test_no_plugin_can_take_the_name_of_the_core(site):
    site("bad", "raise AssertionError('must not be imported')", plugin="builtin")
    plugins = Plugins()
    with pytest.warns(PluginLoadWarning, match=r"'builtin' \(bad 1.2\) is not loaded: shadowed by partgraph"):
        assert plugins.get("solver", "builtin:exhaustive") is Exhaustive


def test_a_name_that_cannot_be_asked_for_is_refused(site):
    site("bad", "raise AssertionError('must not be imported')", plugin="bad,worse")
    plugins = Plugins()
    with pytest.warns(PluginLoadWarning, match="failed: a plugin's name is letters, digits"):
        plugins.list()


# -- allow-list and blocking -------------------------------------------------------------------------------------


def test_the_allow_list(site, monkeypatch):
    site("good", GOOD)
    site("bad", "raise AssertionError('must not be imported')")
    monkeypatch.setenv("PARTGRAPH_PLUGINS", " good ")
    assert "good:fine" in [entry.name for entry in Plugins().list()]
    assert "bad" in Plugins().blocked
    monkeypatch.setenv("PARTGRAPH_PLUGINS", "")
    empty = Plugins()
    assert {entry.plugin for entry in empty.list()} == {"builtin"}
    assert {"good", "bad"} <= set(empty.blocked)


@pytest.mark.parametrize("name", ["bad", "bad-solvers"])
def test_a_blocked_plugin_is_not_imported(site, monkeypatch, name):
    site("bad-solvers", "raise AssertionError('must not be imported')", plugin="bad")
    assert "bad" in Plugins(block=[name]).blocked
    monkeypatch.setenv("PARTGRAPH_BLOCK", f"something, {name}")
    plugins = Plugins()
    assert [state.status for state in plugins.states() if state.plugin == "bad"] == ["blocked"]
    assert [state.status for state in plugins.states() if state.plugin == "something"] == ["not installed"]
    with pytest.raises(UnknownComponentError, match="Blocked: bad"):
        plugins.get("solver", "bad:fast")


def test_blocking_after_discovery(site):
    site("good-solvers", GOOD, plugin="good")
    plugins = Plugins()
    plugins.discover()
    plugins.block("good-solvers")
    assert [state.status for state in plugins.states() if state.plugin == "good"] == ["blocked"]
    with pytest.raises(ValueError, match="built-in components cannot be blocked"):
        Plugins(block=["partgraph"])


# -- what it costs -----------------------------------------------------------------------------------------------


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
    (tmp_path / "heavy_machinery.py").write_text("raise RuntimeError('imported')")
    plugins = Plugins()
    assert plugins.find("solver", "slow").status == "ready"
    with pytest.raises(InvalidComponentError, match="cannot be imported: RuntimeError: imported"):
        plugins.get("solver", "slow")


COUNT = """
import json, sys
opened = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
from partgraph.plugins import Plugins

def imported():
    return sorted(name for name in sys.modules if name.startswith("lab"))

plugins = Plugins()
steps = {}
opened.clear()  # networkx has read entry points of its own
plugins.discover()
steps["discovered"] = imported()
steps["files"] = len([path for path in opened if "-1.0.dist-info" in path])
plugins.get("solver", "lab07:fast")
steps["one by its full name"] = imported()
plugins.list()
steps["listed"] = imported()
opened.clear()
plugins.list(), plugins.find("solver", "lab33:fast")
steps["files again"] = len(opened)
print(json.dumps(steps))
"""


def test_fifty_plugins_cost_what_is_asked_of_them(tmp_path):
    for k in range(50):
        name = f"lab{k:02}"
        (tmp_path / f"{name}.py").write_text(
            "from partgraph.plugins import Component, hookimpl\n"
            "@hookimpl\n"
            f"def partgraph_solvers():\n    yield Component('fast', 'lab_heavy{k:02}:Exhaustive', 'a solver')\n"
        )
        (tmp_path / f"lab_heavy{k:02}.py").write_text("from partgraph.reference import Exhaustive")
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\nRequires-Dist: partgraph>=0.1\n")
        (info / "entry_points.txt").write_text(f"[partgraph]\n{name} = {name}\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PARTGRAPH_")}
    done = subprocess.run(
        [sys.executable, "-c", COUNT],
        env=environment | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    steps = json.loads(done.stdout)
    assert steps["discovered"] == []
    assert steps["files"] == 2 * 50  # each distribution's entry points and metadata
    assert steps["one by its full name"] == ["lab07", "lab_heavy07"]
    assert steps["listed"] == sorted([*(f"lab{k:02}" for k in range(50)), "lab_heavy07"])
    assert steps["files again"] == 0


def test_threads_that_ask_at_once_see_every_plugin(site):
    """One thread loaded plugins, the other saw none of them: `solve_many` fell back to the solvers of the core."""
    site("slow-plugin", "import time\n" + "time.sleep(0.2)" + textwrap.dedent(GOOD), plugin="slow")
    plugins, threads = Plugins(), 4
    together = Barrier(threads)

    def ask(_):
        together.wait()
        return [entry.name for entry in plugins.list("solver") if entry.plugin == "slow"]

    with ThreadPoolExecutor(threads) as pool:
        assert list(pool.map(ask, range(threads))) == [["slow:fine"]] * threads
