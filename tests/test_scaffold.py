"""`partgraph new-plugin`: of every kind a plugin is made, installed, listed, and passes its own tests and ruff."""

import json
import os
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import partgraph
from partgraph.components import KINDS
from partgraph.scaffold import TEMPLATES, ScaffoldError, new_plugin

LEARNING = ("model", "dataset", "loss")
NAMES = {kind: f"new-{kind}" for kind in TEMPLATES}


def run(*words, folder=None, path=None, **environment):
    search = os.pathsep.join(filter(None, [str(path or ""), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": search, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folders of a new plugin of every kind."""
    parent = tmp_path_factory.mktemp("new")
    return {kind: new_plugin(NAMES[kind], kind, parent) for kind in TEMPLATES}


@pytest.fixture(scope="module")
def site(made, tmp_path_factory):
    """A folder that all of them are installed into."""
    pytest.importorskip("setuptools", minversion="77", reason="needs setuptools to build")
    target = tmp_path_factory.mktemp("site")
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    done = run("-m", "pip", "install", "--quiet", *offline, "--target", target, *made.values())
    assert done.returncode == 0, done.stderr
    return target


def test_there_is_a_template_for_every_kind_of_component():
    assert set(TEMPLATES) == set(KINDS) - {"experiment"}  # which is trained, and not written


@pytest.mark.slow
def test_new_plugins_are_listed(site):
    done = run("-m", "partgraph", "plugins", "--json", path=site, PARTGRAPH_PLUGINS=",".join(NAMES.values()))
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    for kind, name in NAMES.items():
        row = rows[f"{name}:{name}"]
        assert (row["kind"], row["distribution"]) == (kind, f"partgraph-{name} 0.1.0")
        assert row["status"] == "ready" or find_spec("torch") is None
        assert row["summary"] == TEMPLATES[kind].summary


@pytest.mark.slow
@pytest.mark.parametrize("kind", TEMPLATES)
def test_new_plugins_pass_their_tests(made, site, kind):
    if kind in LEARNING:
        pytest.importorskip("torch")
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", folder=made[kind], path=site)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout or find_spec("torch") is None


@pytest.mark.parametrize("length", ["short", "long"])
@pytest.mark.parametrize("kind", TEMPLATES)
def test_new_plugins_are_tidy(tmp_path, kind, length):
    if find_spec("ruff") is None:
        pytest.skip("ruff is not installed")
    name = "x" if length == "short" else "a-name-as-long-as-can-be"
    folder = new_plugin(name, kind, tmp_path)
    for check in (("check",), ("format", "--check", "--diff")):
        done = run("-m", "ruff", *check, "--no-cache", ".", folder=folder)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", TEMPLATES)
def test_nothing_of_the_template_is_left(made, kind):
    name = NAMES[kind]
    files = [path for path in made[kind].rglob("*") if path.is_file() and "build" not in path.parts]
    expected = {"pyproject.toml", "README.md", "__init__.py", "py.typed", "plugin.py"}
    module = name.replace("-", "_")
    assert {path.name for path in files} >= expected | {f"{module}.py", f"test_{module}.py"}
    for path in files:
        assert "template" not in path.name
        if path.suffix in (".py", ".md", ".toml"):
            assert "template" not in path.read_text(encoding="utf-8").lower()


@pytest.mark.parametrize("kind", TEMPLATES)
def test_new_plugins_serve_this_version(made, kind):
    project = tomllib.loads((made[kind] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirement = Requirement(project["dependencies"][0])
    assert requirement.specifier.contains(partgraph.__version__)
    assert requirement.extras == ({"learning"} if kind in LEARNING else set())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Huber", "found 'Huber'"),
        ("fast_solver", "found 'fast_solver'"),
        ("2d", "found '2d'"),
        ("class", "no word of Python; found 'class'"),
        ("../up", "found '../up'"),
        ("", "found ''"),
        ("a" * 25, "up to 24 characters"),
        ("builtin", "a plugin is called 'builtin' already"),
    ],
)
def test_names_that_no_plugin_can_have(tmp_path, name, message):
    with pytest.raises(ScaffoldError, match=message):
        new_plugin(name, "pairwise", tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_name_may_be_the_distributions(tmp_path):
    assert new_plugin("partgraph-leash", "pairwise", tmp_path) == tmp_path / "partgraph-leash"


def test_nothing_is_overwritten(tmp_path):
    new_plugin("leash", "pairwise", tmp_path)
    with pytest.raises(ScaffoldError, match="partgraph-leash exists; choose another name or folder"):
        new_plugin("leash", "unary", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ScaffoldError, match="cannot be written"):
        new_plugin("rope", "pairwise", tmp_path / "file")


def test_names_of_installed_plugins_are_taken(tmp_path, monkeypatch):
    info = tmp_path / "lab-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-things\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[partgraph]\nlab = lab\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ScaffoldError, match=r"a plugin is called 'lab' already \(lab-things 1.0\)"):
        new_plugin("lab", "pairwise", tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["leash", "--kind", "rope"],
            "no template for the kind 'rope'; there are unary, pairwise, graph, solver",
        ),
        (["Leash", "--kind", "unary"], "found 'Leash'"),
        (["leash"], "--kind"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(tmp_path, words, message):
    done = run("-m", "partgraph", "new-plugin", *words, folder=tmp_path, PARTGRAPH_PLUGINS="")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("partgraph: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_command_says_how_to_go_on(tmp_path):
    done = run("-m", "partgraph", "new-plugin", "leash", "--kind", "pairwise", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "partgraph-leash: a pairwise. To install and test it:",
        '  pip install -e "partgraph-leash[testing]"',
        "  pytest partgraph-leash",
    ]
    assert Path(tmp_path / "partgraph-leash" / "pyproject.toml").exists()
