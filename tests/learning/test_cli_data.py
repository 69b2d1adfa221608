"""`partgraph data check` and `data prepare`, run as a user runs them."""

import json

import pytest

torch = pytest.importorskip("torch")

from partgraph.cli import main  # noqa: E402
from partgraph.learning.dataset import Inventory  # noqa: E402


def run(capsys, *arguments):
    """Exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as exit_:
        main(["data", *map(str, arguments)])
    return exit_.value.code, *capsys.readouterr()


@pytest.fixture
def boxes(toy, monkeypatch):
    """The toy's data set, as if it were read from folders with a file `dots.txt`."""

    def inspect(cls, folder):
        path = folder / "dots.txt"
        if not path.is_file():
            return None
        lines = path.read_text().splitlines()
        problems = () if lines else (f"{path}: a line for each dot; found none; draw some",)
        return Inventory(
            "dots in lines", {"dots": 1000 * len(lines), "by kind": {"red": 2}, "names": lines}, problems
        )

    monkeypatch.setattr(toy.Dots, "inspect", classmethod(inspect))


@pytest.mark.usefixtures("boxes")
def test_check_says_what_is_there(capsys, tmp_path):
    (tmp_path / "dots.txt").write_text("a\nb\n")
    code, out, err = run(capsys, "check", tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "dots: dots in lines",
        "  dots: 2,000",
        "  by kind: red 2",
        "  names: a, b",
        "  no problems found",
    ]


@pytest.mark.usefixtures("boxes")
def test_check_says_what_is_wrong(capsys, tmp_path):
    (tmp_path / "dots.txt").write_text("")
    code, out, _ = run(capsys, "check", tmp_path)
    assert code == 0
    assert (
        out.splitlines()[-1]
        == f"  problem: {tmp_path / 'dots.txt'}: a line for each dot; found none; draw some"
    )


@pytest.mark.usefixtures("boxes")
def test_check_as_json(capsys, tmp_path):
    (tmp_path / "dots.txt").write_text("a\n")
    code, out, _ = run(capsys, "check", tmp_path, "--json")
    assert code == 0
    assert json.loads(out) == [
        {
            "dataset": "dots",
            "layout": "dots in lines",
            "contents": {"dots": 1000, "by kind": {"red": 2}, "names": ["a"]},
            "problems": [],
        }
    ]


@pytest.mark.usefixtures("boxes")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_check_of_something_else_ends_with_2_and_one_line(capsys, tmp_path, options):
    code, out, err = run(capsys, "check", tmp_path, *options)
    assert (code, out) == (2, "")
    assert err.startswith(f"partgraph: {tmp_path}: not recognised by any data set installed (")
    assert "dots" in err
    assert err.count("\n") == 1
    code, _, err = run(capsys, "check", tmp_path / "absent")
    assert code == 2
    assert "no such folder" in err


CONFIG = """
name = "toy"
data = { train = { name = "dots", count = 9 }, validation = { name = "dots" }, test = { name = "dots" } }
model = { name = "dot-network" }
loss = { name = "dot-loss" }
"""


def test_prepare_makes_what_an_experiment_needs(toy, capsys, tmp_path, monkeypatch):
    asked = []

    def prepare(self, workers, advance):
        asked.append((self.count, workers))
        advance(4)

    monkeypatch.setattr(toy.Dots, "pending", lambda self: 4 if self.count == 9 else 0)
    monkeypatch.setattr(toy.Dots, "prepare", prepare)
    (tmp_path / "toy.toml").write_text(CONFIG)
    code, out, _ = run(capsys, "prepare", tmp_path / "toy.toml", "--workers", 2)
    assert code == 0
    assert out.splitlines() == [
        "train: 9 samples ready",
        "validation: 40 samples ready",
        "test: 40 samples ready",
    ]
    assert asked == [(9, 2)]
    code, out, _ = run(capsys, "prepare", tmp_path / "toy.toml", "--part", "test")
    assert (code, out.splitlines()) == (0, ["test: 40 samples ready"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--part", "val"], "--part is `train`, `validation`, `test`; found 'val'"),
        (["--workers", "-1"], "at least 0"),
    ],
)
def test_wrong_arguments_end_with_2(toy, capsys, tmp_path, options, said):
    (tmp_path / "toy.toml").write_text(CONFIG)
    code, _, err = run(capsys, "prepare", tmp_path / "toy.toml", *options)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_an_experiment_that_is_not_there(capsys, tmp_path):
    code, _, err = run(capsys, "prepare", tmp_path / "none.toml")
    assert code == 2
    assert "no such file" in err
