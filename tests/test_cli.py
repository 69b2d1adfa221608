"""Commands, run in this process; one of them in its own, as users do."""

import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import attrs
import numpy as np
import pytest

import partgraph
from partgraph import Component, Interval, Pairwise, hookimpl, save_problem
from partgraph.cli import main
from partgraph.discovery import describe
from partgraph.plugins import Plugins


@pytest.fixture
def shared(plugins, monkeypatch):
    """The commands see built-in components only, and what a test adds."""
    monkeypatch.setattr(partgraph.plugins, "shared", lambda: plugins)
    return plugins


@pytest.fixture
def run(capsys, shared):
    def command(*words):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return command


@pytest.fixture
def file(arm, tmp_path):
    save_problem(arm, tmp_path / "arm.npz")
    return tmp_path / "arm.npz"


# -- solve -------------------------------------------------------------------------------------------------------


def test_solve_prints_one_json_object(run, file, arm):
    code, out, err = run("solve", file, "--solver", "exhaustive", "--n-best", 2, "--json")
    result = json.loads(out)
    assert (code, err) == (0, "")
    assert list(result) == [
        "solver",
        "status",
        "labels",
        "scores",
        "upper_bound",
        "gap",
        "positions",
        "seconds",
        "stats",
        "components",
    ]
    assert result["components"] == [
        {"kind": "solver", "name": "builtin:exhaustive", "distribution": describe("partgraph")}
    ]
    assert (result["solver"], result["status"], result["gap"]) == ("builtin:exhaustive", "OPTIMAL", 0)
    np.testing.assert_allclose(result["scores"], arm.score(np.array(result["labels"])))
    np.testing.assert_allclose(result["positions"], arm.positions(result["labels"][0]))
    assert result["stats"] == {"configurations": 12}


def test_solve_chooses_a_solver(run, file):
    _, out, _ = run("solve", file, "--json")
    assert json.loads(out)["solver"] == "builtin:dynamic-programming"


def test_solve_prints_a_table_for_people(run, file):
    code, out, _ = run("solve", file, "--n-best", "3")
    assert code == 0
    for word in ("proven", "upper bound", "shoulder", "wrist", "rank"):
        assert word in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["solve", "nowhere.npz"], "nowhere.npz: cannot be read: No such file or directory"),
        (
            ["solve", "FILE", "--solver", "bnb"],
            "no solver named 'bnb'. Installed: builtin:dynamic-programming,",
        ),
        (["solve", "FILE", "--n-best", "0"], "--n-best must be at least 1; found 0"),
        (["solve", "FILE", "--n-best", "many"], "--n-best"),
        (["solve", "FILE", "--colour", "red"], "--colour"),
        (["solve"], "--file"),
        (
            ["sovle", "FILE"],
            "no command 'sovle'; the commands are check, data, demo, evaluate, export, figures, graph, new-plugin, "
            "plugins, predict, solve, tables, train",
        ),
        (["check", "nothing"], "nothing is called 'nothing'; `partgraph plugins` lists what is installed"),
        (["plugins", "sovler"], "no kind of component is called 'sovler'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(run, file, words, message):
    code, out, err = run(*(file if word == "FILE" else word for word in words))
    assert (code, out) == (2, "")
    assert err.startswith("partgraph: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_problem_without_solution_is_bad_input(run, tmp_path, arm):
    closed = attrs.evolve(arm.candidates[0], scores=np.full(2, -np.inf))
    save_problem(attrs.evolve(arm, candidates=(closed, *arm.candidates[1:])), tmp_path / "closed.npz")
    code, _, err = run("solve", tmp_path / "closed.npz")
    assert code == 2
    assert "part 'shoulder': every candidate is forbidden" in err


# -- plugins and check -------------------------------------------------------------------------------------------


def test_plugins_lists_components_and_their_state(run, shared, temporary_plugin):
    temporary_plugin(
        "lab", "lab 1.0", solvers=[Component("gpu", "lab.gpu:Gpu", "fast", requires=("no_such_gpu",))]
    )
    shared.block("heavy")
    _, out, _ = run("plugins", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["builtin:exhaustive"]["status"] == "ready"
    assert rows["lab:gpu"] == {
        "kind": "solver",
        "name": "lab:gpu",
        "distribution": "lab 1.0",
        "status": "needs no_such_gpu",
        "summary": "fast",
        "same_name": [],
    }
    assert rows["heavy"]["status"] == "not installed"
    _, out, _ = run("plugins", "solver")
    assert "lab:gpu" in out
    assert "builtin:quadratic" not in out


def test_plugins_says_which_names_are_shared_and_what_is_not_loaded(run, shared, temporary_plugin):
    for plugin in ("lab", "other", "third"):
        temporary_plugin(plugin, solvers=[Component("fast", "partgraph:Exhaustive", "")])
    shared.block("third")
    _, out, _ = run("plugins", "solver", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["lab:fast"]["status"] == rows["other:fast"]["status"] == "ready; by its full name only"
    assert rows["lab:fast"]["same_name"] == ["other:fast"]
    assert rows["builtin:exhaustive"]["same_name"] == []
    assert rows["third"]["status"] == "blocked"


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (["--only", "good", "plugins"], {"builtin", "good"}),
        (["--only=", "plugins"], {"builtin"}),
        (["--only", "good,other", "--block", "other", "plugins"], {"builtin", "good"}),
        (["--block", "good-solvers", "--only", "good", "plugins"], {"builtin"}),
    ],
)
def test_plugins_are_chosen_on_the_command_line(tmp_path, words, loaded):
    for name in ("good", "other"):
        (tmp_path / f"{name}_solvers.py").write_text(
            "from partgraph import Component, hookimpl\n@hookimpl\ndef partgraph_solvers():\n"
            "    yield Component('fine', 'partgraph:Exhaustive', '')\n"
        )
        info = tmp_path / f"{name}_solvers-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-solvers\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[partgraph]\n{name} = {name}_solvers\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "partgraph", *words, "solver", "--json"],
        env={**os.environ, "PARTGRAPH_PLUGINS": "other", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert {row["name"].split(":")[0] for row in rows if row["status"].startswith("ready")} == loaded


def test_check_passes_what_is_right(run):
    code, out, _ = run("check", "builtin:linear", "--examples", "10")
    assert code == 0
    assert "all checks passed" in out
    assert "bounds hold every value" in out


def test_check_explains_a_failure_with_an_example(run, temporary_plugin, monkeypatch):
    class Leaky(Pairwise):
        def evaluate(self, x, y):
            return -((y - x) ** 2).sum(-1)

        def bounds(self, *boxes):
            exact = self.evaluate(*boxes)
            return Interval(exact.lo, exact.hi - 1e-6)

    monkeypatch.setitem(sys.modules, "lab", SimpleNamespace(Leaky=Leaky))
    temporary_plugin("lab", pairwises=[Component("leaky", "lab:Leaky", "bounds too tight")])
    code, out, _ = run("check", "leaky", "--examples", "10")
    assert code == 1
    failure = re.split(r"\n  \S", out.partition("FAILED   bounds hold every value\n")[2])[0]
    assert [line.strip() for line in failure.splitlines()] == [
        "Asked: The value at every point of the boxes lies within the bounds, without any tolerance.",
        "Found: the value -0 is outside the bounds [-0, -1e-06]; a solver would prune the best configuration",
        "Smallest example:",
        "Leaky",
        "the box from (0, 0, 0) to (0, 0, 0) with (0, 0, 0)",
        "the box from (0, 0, 0) to (0, 0, 0) with (0, 0, 0)",
    ]


def test_check_tells_of_a_problem_in_words(run, temporary_plugin, monkeypatch):
    class Doubtful(partgraph.Solver):
        exact = False

        def supports(self, problem):
            return None

        def compute(self, problem, state, n_best):
            solution = partgraph.Exhaustive().compute(problem, state, n_best)
            return attrs.evolve(solution, upper_bound=solution.upper_bound - 1)

    monkeypatch.setitem(sys.modules, "lab", SimpleNamespace(Doubtful=Doubtful))
    temporary_plugin("lab", solvers=[Component("doubtful", "lab:Doubtful", "bound too low")])
    code, out, _ = run("check", "doubtful", "--examples", "10")
    assert code == 1
    failure = out.partition("FAILED   the upper bound holds\n")[2].partition("\n  ok")[0]
    assert "Asked: No configuration scores higher than the upper bound." in failure
    assert "part-0 at (0, 0, 0) scored 0" in failure


@pytest.mark.parametrize(
    ("option", "message"),
    [("size", "--option is NAME=VALUE; found 'size'"), ("size=3", "has no options; leave out size")],
)
def test_check_takes_options(run, temporary_plugin, option, message):
    pytest.importorskip("cattrs")
    monkey = SimpleNamespace(TRIANGLE=partgraph.Topology("abc", [(0, 1), (1, 2), (2, 0)]))
    sys.modules["lab"] = monkey
    temporary_plugin("lab", graphs=[Component("triangle", "lab:TRIANGLE", "a triangle")])
    code, _, err = run("check", "triangle", "--option", option)
    del sys.modules["lab"]
    assert code == 2
    assert message in err


def test_check_says_what_a_class_with_arguments_needs(run, temporary_plugin):
    temporary_plugin("lab", pairwises=[Component("bare", "partgraph:Quadratic", "no examples")])
    code, _, err = run("check", "bare")
    assert code == 2
    assert "cannot be made without arguments" in err
    assert "examples='module:function'" in err


def test_check_asks_which_kind(run, temporary_plugin):
    temporary_plugin("lab", solvers=[Component("linear", "partgraph:Exhaustive", "")])
    code, _, err = run("check", "linear")
    assert code == 2
    assert "'linear' is a unary and a solver; say which with --kind" in err


# -- the command itself ------------------------------------------------------------------------------------------


def test_help_and_version_load_no_command(python):
    out = python(
        "import sys; from partgraph.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert not end.code\n"
        "loaded = [m for m in ('torch', 'hypothesis', 'partgraph.cli.solve') if m in sys.modules]\n"
        "print('LOADED', loaded)"
    )
    assert "LOADED []" in out
    assert "train" in out


@pytest.mark.parametrize("missing", ["torch", "partgraph.cli.learning"])
def test_learning_commands_say_what_to_install(missing):
    code = (
        "import sys\n"
        f"sys.modules[{missing!r}] = None\n"
        "from partgraph.cli import main\n"
        "main(['train', 'x.toml', '--out', 'y'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "`partgraph train` needs packages that are not installed" in done.stderr
    assert "pip install 'partgraph[learning]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_console_script_runs(file):
    done = subprocess.run(
        [sys.executable, "-m", "partgraph", "solve", str(file), "--solver", "exhaustive", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "OPTIMAL"


@pytest.mark.parametrize("words", [["plugins", "solver", "--json"], ["solve", "FILE", "--json"]])
def test_the_allow_list_and_a_broken_plugin(file, tmp_path, words):
    (tmp_path / "bad.py").write_text("import no_such_package")
    info = tmp_path / "bad-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[partgraph]\nbad = bad\n")
    done = subprocess.run(
        [sys.executable, "-m", "partgraph", *(str(file) if word == "FILE" else word for word in words)],
        env={**os.environ, "PARTGRAPH_PLUGINS": "bad", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    if words[0] == "plugins":
        failed = [row for row in answer if row["status"].startswith("failed")]
        assert [(row["name"], row["distribution"]) for row in failed] == [("bad", "bad 1.0")]
        assert {row["name"].split(":")[0] for row in answer if row["status"] == "ready"} == {"builtin"}
    else:
        assert answer["solver"] == "builtin:dynamic-programming"
        assert done.stderr.startswith(
            "partgraph: warning: plugin 'bad' (bad 1.0) failed to import: ModuleNotFound"
        )
        assert done.stderr.count("\n") == 1


def test_shared_plugins_are_made_once():
    assert partgraph.plugins.shared() is partgraph.plugins.shared()
    assert isinstance(partgraph.plugins.shared(), Plugins)


# -- graph -------------------------------------------------------------------------------------------------------


@pytest.fixture
def poses(tmp_path, rng):
    """Three parts in a chain, the last one sometimes unknown."""
    steps = rng.normal([0, 30], [[3, 3]] * 3, (50, 3, 2))
    steps[::7, 2] = np.nan
    np.savez(tmp_path / "poses.npz", poses=np.cumsum(steps, axis=1), parts=["hip", "knee", "ankle"])
    return tmp_path / "poses.npz"


def test_a_graph_is_learned_and_drawn(run, poses, tmp_path):
    graph, picture = tmp_path / "leg.json", tmp_path / "leg.svg"
    code, out, err = run("graph", "learn", poses, "--out", graph, "--root", "hip", "--further", 1)
    assert (code, err) == (0, "")
    assert out.splitlines()[:3] == ["hip -> knee", "knee -> ankle", "hip -> ankle"]
    assert out.splitlines()[3].endswith("leg.json: 3 parts, 3 edges from 50 poses")
    code, out, err = run("graph", "draw", graph, "--out", picture, "--cover", "every-part")
    assert (code, err) == (0, "")
    assert out.endswith("leg.svg: 3 parts, 3 edges in 3 stars\n")
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_a_registered_graph_is_drawn_beside(run, shared, tmp_path, monkeypatch):
    class Lab:
        @hookimpl
        def partgraph_graphs(self):
            yield Component("petersen", "networkx:petersen_graph", "ten parts")

    shared.register(Lab(), "lab")
    monkeypatch.setattr("partgraph.plugins.get", shared.get)
    monkeypatch.chdir(tmp_path)
    assert run("graph", "draw", "lab:petersen")[0] == 0
    assert (tmp_path / "lab-petersen.svg").exists()


def test_bad_graphs_and_poses_end_in_one_line(run, poses, tmp_path):
    np.savez(tmp_path / "other.npz", poses=np.zeros((2, 3)))
    (tmp_path / "text.npz").write_text("no arrays")
    out = ["--out", tmp_path / "x.json"]
    for words, message in (
        (["graph", "draw", tmp_path / "no.json"], "no.json: cannot be read: No such file"),
        (["graph", "learn", poses, "--out", tmp_path / "x.txt"], "--out must end in .json"),
        (["graph", "learn", poses, "--out", tmp_path / "no" / "x.json"], "cannot be written: No such file"),
        (["graph", "learn", poses, *out, "--count", 0], "--count must be at least 1; found 0"),
        (
            ["graph", "learn", poses, *out, "--root", "elbow"],
            "root must be one of the parts hip, knee, ankle",
        ),
        (["graph", "learn", poses, *out, "--further", 9], "further must lie between 0 and 1"),
        (["graph", "learn", poses, *out, "--cover", "few"], "cover must be 'greedy'"),
        (["graph", "learn", tmp_path / "no.npz", *out], "no.npz: cannot be read: No such file"),
        (["graph", "learn", tmp_path / "other.npz", *out], "must hold the numbers `poses`"),
        (["graph", "learn", tmp_path / "text.npz", *out], "is not an .npz file of plain arrays"),
    ):
        code, _, err = run(*words)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1


def test_lines_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    from partgraph.cli.output import print_line

    line = "graph bicycle:bicycle: [bold]Topology[/bold]"  # names between colons are no pictures
    print_line(line)
    assert capsys.readouterr().out == line + "\n"
