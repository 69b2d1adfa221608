import zipfile

import attrs
import numpy as np
import pytest
from hypothesis import given

from partgraph import Linear, Pairwise, ProblemError, load_problem, save_problem
from partgraph.testing import strategies


@given(strategies.problems(unary=False))
def test_round_trip(tmp_path_factory, problem):
    path = tmp_path_factory.mktemp("problems") / "problem.npz"
    save_problem(problem, path)
    same = load_problem(path)
    assert (same.graph.parts, same.graph.edges) == (problem.graph.parts, problem.graph.edges)
    for mine, theirs in zip(same.candidates, problem.candidates, strict=True):
        np.testing.assert_array_equal(mine.positions, theirs.positions)
        np.testing.assert_array_equal(mine.scores, theirs.scores)
    for mine, theirs in zip(same.pairwise, problem.pairwise, strict=True):
        np.testing.assert_array_equal(mine.weight, theirs.weight)
        np.testing.assert_array_equal(mine.offset, theirs.offset)
    for mine, theirs in zip(same.anchors, problem.anchors, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_file_is_named_as_asked_and_the_same_every_time(arm, tmp_path):
    paths = [tmp_path / name for name in ("first", "second")]
    for path in paths:
        save_problem(arm, str(path))
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert load_problem(paths[0]).score([0, 0, 0]) == arm.score([0, 0, 0])


def test_tensors_are_written_as_arrays(arm, tmp_path):
    torch = pytest.importorskip("torch")
    first = arm.candidates[0]
    moved = attrs.evolve(first, scores=torch.tensor(first.scores, requires_grad=True))
    save_problem(attrs.evolve(arm, candidates=(moved, *arm.candidates[1:])), tmp_path / "x.npz")
    assert load_problem(tmp_path / "x.npz").score([0, 0, 0]) == arm.score([0, 0, 0])


class Other(Pairwise):
    def evaluate(self, x, y):
        return (x - y).sum(-1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda arm: attrs.evolve(arm, pairwise=(Other(), arm.pairwise[1])),
            "edge shoulder -> elbow has a Other; a problem file holds Quadratic terms only",
        ),
        (
            lambda arm: arm.with_unary(2, Linear([1.0, 0, 0])),
            "part 'wrist' has extra unary terms, which a problem file does not hold; add them to the candidates'",
        ),
    ],
)
def test_what_the_format_does_not_know_is_not_written(arm, tmp_path, change, message):
    with pytest.raises(ProblemError, match=message):
        save_problem(change(arm), tmp_path / "x.npz")
    assert not (tmp_path / "x.npz").exists()


# -- malformed files ---------------------------------------------------------------------------------------------


@pytest.fixture
def arrays(arm, tmp_path):
    save_problem(arm, tmp_path / "good.npz")
    with np.load(tmp_path / "good.npz") as file:
        return dict(file)


def replaced(name, value):
    return lambda arrays: arrays.__setitem__(name, np.asarray(value))


MALFORMED = {
    "no format": (lambda a: a.pop("format"), "has no array 'format'"),
    "other format": (
        replaced("format", "partgraph-problem-2"),
        "has format 'partgraph-problem-2'; this version reads",
    ),
    "format is a number": (replaced("format", 1), "format must hold text; found int64"),
    "format is a list": (replaced("format", ["a"]), r"format must have shape \(\); found \(1,\)"),
    "no parts": (lambda a: a.pop("parts"), "has no array 'parts'"),
    "parts are numbers": (replaced("parts", [1, 2, 3]), "parts must hold text; found int64"),
    "parts are bytes": (replaced("parts", [b"a", b"b", b"c"]), "parts must hold text"),
    "parts are none": (replaced("parts", np.empty(0, str)), "a graph needs at least one part; found none"),
    "parts are equal": (replaced("parts", ["a", "b", "a"]), "found 'a' more than once"),
    "parts are a table": (
        replaced("parts", [["a", "b", "c"]]),
        r"parts must have shape \(N,\); found \(1, 3\)",
    ),
    "no edges": (lambda a: a.pop("edges"), "has no array 'edges'"),
    "edges are real": (
        replaced("edges", [[0.0, 1.0], [2.0, 1.0]]),
        "edges must hold whole numbers; found float64",
    ),
    "edges are triples": (replaced("edges", [[0, 1, 2]]), r"edges must have shape \(E, 2\); found \(1, 3\)"),
    "edge out of range": (
        replaced("edges", [[0, 1], [3, 1]]),
        r"edge 1 is \(3, 1\); it must be a pair of part indices",
    ),
    "edge negative": (replaced("edges", [[0, 1], [-1, 1]]), r"edge 1 is \(-1, 1\)"),
    "edge to itself": (replaced("edges", [[0, 1], [2, 2]]), "edge 1 joins 'wrist' with itself"),
    "edge twice": (replaced("edges", [[0, 1], [0, 1]]), "edge shoulder -> elbow is listed twice"),
    "no weight": (lambda a: a.pop("weight"), "has no array 'weight'"),
    "weight for fewer edges": (
        lambda a: a.update(weight=a["weight"][:1]),
        r"weight must have shape \(2, 3\); found \(1, 3\)",
    ),
    "weight of zero": (replaced("weight", [[1.0, 0, 1]] * 2), "weight must be positive"),
    "weight is NaN": (
        replaced("weight", [[1.0, np.nan, 1]] * 2),
        "weight must be finite; found NaN or infinity",
    ),
    "offset is infinite": (replaced("offset", [[1.0, np.inf, 1]] * 2), "offset must be finite"),
    "offset in 2D": (replaced("offset", [[1.0, 1]] * 2), r"offset must have shape \(2, 3\); found \(2, 2\)"),
    "no positions": (lambda a: a.pop("positions.1"), "has no array 'positions.1'"),
    "positions of none": (
        lambda a: a.update({"positions.1": np.zeros((0, 3)), "scores.1": np.zeros(0)}),
        "part 'elbow': positions must have shape",
    ),
    "positions in 2D": (
        lambda a: a.update({"positions.1": a["positions.1"][:, :2]}),
        "part 'elbow': positions have 2 dim",
    ),
    "positions are text": (
        lambda a: a.update({"positions.1": np.full((3, 3), "x")}),
        "positions.1 must hold numbers",
    ),
    "positions are complex": (
        lambda a: a.update({"positions.1": np.zeros((3, 3), complex)}),
        "must hold numbers",
    ),
    "positions are NaN": (lambda a: a["positions.0"].__setitem__(0, np.nan), "positions.0 must be finite"),
    "positions are a list": (
        replaced("positions.0", [1.0, 2]),
        r"positions.0 must have shape \(K, D\); found \(2,\)",
    ),
    "no scores": (lambda a: a.pop("scores.2"), "has no array 'scores.2'"),
    "scores for more": (
        lambda a: a.update({"scores.2": np.zeros(5)}),
        r"scores.2 must have shape \(2,\); found \(5,\)",
    ),
    "scores are NaN": (
        replaced("scores.0", [np.nan, 0]),
        r"scores.0 \(part 'shoulder'\) must be finite or -inf; found NaN",
    ),
    "scores are infinite": (
        replaced("scores.0", [np.inf, 0]),
        r"scores.0 \(part 'shoulder'\) must be finite or -inf",
    ),
    "anchors for fewer": (
        lambda a: a.update({"anchors.1": np.zeros((1, 3))}),
        r"anchors.1 must have shape \(2, 3\)",
    ),
    "anchors are NaN": (lambda a: a["anchors.1"].__setitem__(0, np.nan), "anchors.1 must be finite"),
    "anchors of no edge": (
        replaced("anchors.2", np.zeros((2, 3))),
        "has an array 'anchors.2', which is none of the format's",
    ),
    "misspelt": (
        replaced("anchor.0", np.zeros((2, 3))),
        "has an array 'anchor.0', which is none of the format's for 3",
    ),
    "one part too many": (replaced("positions.3", np.zeros((2, 3))), "has an array 'positions.3'"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_file_is_refused_in_one_line(arrays, tmp_path, case):
    change, message = MALFORMED[case]
    change(arrays)
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    with pytest.raises(ProblemError, match=message) as caught:
        load_problem(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def _pickle(path, arrays):
    np.savez(path, **{**arrays, "parts": np.array(["a", None], dtype=object)})


def _flipped(path, arrays):
    np.savez(path, **arrays)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


def _foreign(path, arrays):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("format.npy", b"not an array")


def _huge(path, arrays):
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999,), }"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("format.npy", header.ljust(127) + b"\n")


UNREADABLE = {
    "empty": lambda path, arrays: path.write_bytes(b""),
    "text": lambda path, arrays: path.write_text("not a zip file"),
    "half": lambda path, arrays: (np.savez(path, **arrays), path.write_bytes(path.read_bytes()[:700])),
    "flipped": _flipped,
    "single array": lambda path, arrays: np.save(path.open("wb"), np.zeros(3)),
    "pickle": _pickle,
    "foreign": _foreign,
    "huge": _huge,
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("case", UNREADABLE)
def test_an_unreadable_file_is_refused_in_one_line(arrays, tmp_path, case):
    path = tmp_path / "bad.npz"
    UNREADABLE[case](path, arrays)
    with pytest.raises(ProblemError, match=r"is not an \.npz file of plain arrays, or is damaged") as caught:
        load_problem(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(ProblemError, match=r"nowhere\.npz: cannot be read: No such file or directory"):
        load_problem(tmp_path / "nowhere.npz")
    with pytest.raises(ProblemError, match="cannot be read: Is a directory"):
        load_problem(tmp_path)
