"""`partgraph train`, `evaluate`, `predict` and `demo`, run as a user runs them."""

import json
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from partgraph.cli import main  # noqa: E402
from partgraph.learning.checkpoint import SIDECAR, WEIGHTS, load_trained  # noqa: E402

CONFIG = """
name = "toy"

[data.train]
name = "dots"
count = 24

[data.validation]
name = "dots"
split = "validation"
count = 6

[data.test]
name = "dots"
split = "test"
count = 6

[model]
name = "dot-network"

[loss]
name = "dot-loss"

[training]
steps = 20
batch = 8
learning_rate = 0.03

[evaluation]
graphs = ["dots-alone", "dots-star"]
solver = "dynamic-programming"
"""


@pytest.fixture
def run(toy, monkeypatch, capsys, tmp_path):
    """Run the command line: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        words = [str(word) for word in words]
        monkeypatch.setattr(sys, "argv", ["partgraph", *words])
        with pytest.raises(SystemExit) as caught:
            main(words)
        output = capsys.readouterr()
        return caught.value.code, output.out, output.err

    return run


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "toy.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def folder(folder_of_trained):
    return folder_of_trained


def assert_one_line(code, out, err, *words):
    assert code == 2, err
    assert err.startswith("partgraph: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert out == ""
    for word in words:
        assert word in err


def test_train(run, config, tmp_path):
    code, out, err = run("train", config, "--out", tmp_path / "run", "--threads", 1, "--half")
    assert code == 0, err
    assert "Trained toy" in out
    assert "step 20 of 20" in err
    assert "dots-star: weights x 0.3" in err
    trained = load_trained(tmp_path / "run")
    assert trained.metrics["command"] == (
        f"partgraph train {config} --out {tmp_path / 'run'} --threads 1 --half"
    )
    assert trained.metrics["validation"]["images"] == 6
    assert {"kind": "loss", "name": "toy:dot-loss", "distribution": "partgraph-toy 1.0"} in trained.metrics[
        "components"
    ]


def test_full_names_in_an_experiment_file(run, config, tmp_path):
    text = config.read_text()
    for name in ("dots", "dot-network", "dot-loss", "dots-alone", "dots-star"):
        text = text.replace(f'"{name}"', f'"toy:{name}"')
    config.write_text(text.replace('"dynamic-programming"', '"builtin:dynamic-programming"'))
    code, _, err = run("train", config, "--out", tmp_path / "run", "--threads", 1)
    assert code == 0, err
    assert run("evaluate", tmp_path / "run", "--graph", "toy:dots-chain", "--count", 2)[0] == 0


def test_training_again_goes_on(run, config, tmp_path):
    run("train", config, "--out", tmp_path / "run")
    before = (tmp_path / "run" / WEIGHTS).read_bytes()
    code, _, err = run("train", config, "--out", tmp_path / "run")
    assert code == 0
    assert "step" not in err
    assert (tmp_path / "run" / WEIGHTS).read_bytes() == before


def test_evaluate_prints_tables(run, folder):
    code, out, err = run("evaluate", folder)
    assert code == 0, err
    for word in ("Reconstruction error by group, mm", "wide", "tall", "minus dots-alone", "±", "Inference"):
        assert word in out
    for method in ("dots-alone", "dots-star", "dots-chain", "constant mean pose", "perfect target"):
        assert method in out


def test_evaluate_writes_json_and_report(run, folder, tmp_path):
    code, out, _ = run(
        "evaluate", folder, "--part", "validation", "--count", 7, "--out", tmp_path / "a" / "b", "--json"
    )
    assert code == 0
    values = json.loads(out)
    assert values == json.loads((tmp_path / "a" / "b" / "results.json").read_text())
    assert values["images"] == 7
    assert values["model"] == "toy"
    assert values["data"] == "dots, validation"
    assert values["solver"] == "dynamic-programming"
    assert {(own["kind"], own["name"]) for own in values["components"]} == {
        ("dataset", "toy:dots"),
        ("model", "toy:dot-network"),
        ("graph", "toy:dots-alone"),
        ("graph", "toy:dots-star"),
        ("graph", "toy:dots-chain"),
        ("solver", "builtin:dynamic-programming"),
    }
    assert {own["distribution"] for own in values["components"] if own["name"][:3] == "toy"} == {
        "partgraph-toy 1.0"
    }
    assert set(values["reconstruction_error_mm"]) == {"dots-alone", "dots-star", "dots-chain"}
    assert set(values["pairwise_scale"]) == {"dots-star", "dots-chain"}
    assert "toy on dots, validation" in (tmp_path / "a" / "b" / "report.html").read_text(encoding="utf-8")


def test_evaluate_with_other_graphs_and_solver(run, folder):
    code, out, _ = run(
        "evaluate",
        folder,
        "--graph",
        "dots-chain",
        "--graph",
        "toy:dots-star",
        "--solver",
        "builtin:dynamic-programming",
        "--count",
        2,
        "--json",
    )
    assert code == 0
    values = json.loads(out)
    assert list(values["reconstruction_error_mm"]) == ["dots-chain", "toy:dots-star"]
    assert values["solver"] == "builtin:dynamic-programming"


def test_settings_and_constant_offsets(run, folder, toy):
    settings = ("--set", "data.test.count=25", "--set", "data.test.seed=4")
    code, out, err = run("evaluate", folder, *settings, "--json")
    assert code == 0, err
    own = json.loads(out)
    assert (own["images"], own["offsets"]) == (25, "predicted")
    assert own["settings"] == ["data.test.count=25", "data.test.seed=4"]
    code, out, err = run("evaluate", folder, *settings, "--offsets", "constant", "--json")
    assert code == 0, err
    constant = json.loads(out)
    assert constant["offsets"] == "constant"
    errors = own["reconstruction_error_mm"], constant["reconstruction_error_mm"]
    assert errors[0]["dots-alone"] == errors[1]["dots-alone"]
    assert errors[0]["dots-star"] != errors[1]["dots-star"]


def test_constant_offsets_of_weights_that_lack_them_are_those_of_the_training_data(run, folder, tmp_path):
    stored = json.loads(run("evaluate", folder, "--offsets", "constant", "--json")[1])
    older = tmp_path / "older"
    older.mkdir()
    sidecar = json.loads((folder / SIDECAR).read_text())
    del sidecar["metrics"]["displacements_px"]
    (older / SIDECAR).write_text(json.dumps(sidecar))
    (older / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes())
    computed = json.loads(run("evaluate", older, "--offsets", "constant", "--json")[1])
    assert computed["reconstruction_error_mm"] == pytest.approx(stored["reconstruction_error_mm"])


def test_tables_without_running_anything_again(run, folder, tmp_path, monkeypatch):
    one, other = tmp_path / "one", tmp_path / "other"
    assert run("evaluate", folder, "--out", one)[0] == 0
    assert run("evaluate", folder, "--out", other, "--solver", "greedy")[0] == 0
    monkeypatch.setattr(toy_network(folder), "forward", lambda *_: pytest.fail("the network ran"))
    values = json.loads((one / "results.json").read_text())
    code, out, err = run("tables", one, "--format", "json")
    assert code == 0, err
    first = json.loads(out)[0]
    mean = [column["name"] for column in first["columns"]].index("mean")
    for row in first["rows"][:3]:
        assert row["values"][mean] == pytest.approx(values["reconstruction_error_mm"][row["label"]], rel=1e-6)
    code, out, err = run("tables", one, other, "--format", "json")
    compared = json.loads(out)[0]
    assert [column["name"] for column in compared["columns"]][:3] == ["one", "other", "other minus one"]
    assert compared["rows"][0]["values"][2] == 0  # without edges both are right
    for style, word in (("text", "dots-star"), ("markdown", "| dots-star |"), ("csv", "table,row,note")):
        code, out, err = run("tables", one, other, "--format", style)
        assert code == 0, err
        assert word in out


def toy_network(folder):
    return type(load_trained(folder).network)


def test_figures_of_a_picture_and_of_a_sample(run, folder, photo, tmp_path):
    """The toy has no residuals, so its voxels are not drawn."""
    solvers = ("--solver", "greedy", "--solver", "dynamic-programming")
    for source in ((photo,), ("--index", 3)):
        out = tmp_path / f"figures-{len(source)}"
        code, said, err = run("figures", folder, *source, "--out", out, *solvers)
        assert code == 0, err
        assert said.split() == [str(out / "comparison.svg"), str(out / "views.svg")]
        text = (out / "comparison.svg").read_text(encoding="utf-8")
        assert "dots-chain, dynamic-programming" in text
        assert (" mm</text>" in text) == (source[0] == "--index")


def test_tables_of_nothing(run, tmp_path):
    assert_one_line(*run("tables", tmp_path), "errors.npz: no such file")
    assert_one_line(*run("tables", "results", "--format", "xml"), "--format")


def test_evaluate_one_image_is_strict_json(run, folder, tmp_path):
    def no_constant(name):
        pytest.fail(f"{name} is not JSON")

    code, out, _ = run("evaluate", folder, "--count", 1, "--out", tmp_path / "out", "--json")
    assert code == 0
    json.loads(out, parse_constant=no_constant)
    json.loads((tmp_path / "out" / "results.json").read_text(), parse_constant=no_constant)


def test_results_are_the_same_every_time(run, folder):
    first, again = (
        json.loads(run("evaluate", folder, "--json")[1])["reconstruction_error_mm"] for _ in range(2)
    )
    assert first == again


def test_demo(run, folder, tmp_path):
    code, out, err = run("demo", folder, "--count", 5)
    assert code == 0, err
    values = json.loads((tmp_path / "demo" / "results.json").read_text())
    assert values["images"] == 5
    assert set(values["reconstruction_error_mm"]) == {"dots-alone", "dots-star", "dots-chain"}
    assert values["command"] == f"partgraph demo {folder} --count 5"
    page = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    assert "Reconstruction error" in page
    assert "report.html" in out
    assert "Reconstruction error by group, mm" in out


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 40, 3)).astype(np.uint8)).save(path)
    return path


def test_predict(run, folder, photo, tmp_path):
    code, out, err = run("predict", photo, "--model", folder, "--out", tmp_path / "out")
    assert code == 0, err
    assert out.split() == [
        str(tmp_path / "out" / name) for name in ("photo-pose.png", "poses.json", "report.html")
    ]
    values = json.loads((tmp_path / "out" / "poses.json").read_text())
    poses = values["pictures"][0]["poses"]
    assert {"kind": "model", "name": "toy:dot-network", "distribution": "partgraph-toy 1.0"} in values[
        "components"
    ]
    assert set(poses) == {"dots-alone", "dots-star", "dots-chain"}
    assert np.array(poses["dots-star"]["positions_px"]).shape == (4, 3)


def test_predict_several_pictures_with_a_box(run, folder, photo, tmp_path):
    other = tmp_path / "other.jpg"
    Image.open(photo).save(other)
    code, _, err = run(
        "predict",
        photo,
        other,
        "--box",
        5,
        5,
        30,
        20,
        "--model",
        folder,
        "--out",
        tmp_path / "out",
        "--graph",
        "dots-star",
    )
    assert code == 0, err
    pictures = json.loads((tmp_path / "out" / "poses.json").read_text())["pictures"]
    assert [picture["crop"]["side"] for picture in pictures] == pytest.approx([30 * 1.12] * 2)
    assert list(pictures[0]["poses"]) == ["dots-star"]


def test_predict_with_a_box_for_each_picture(run, folder, photo, tmp_path):
    other = tmp_path / "other.png"
    Image.open(photo).save(other)
    boxes = ("--box", 5, 5, 30, 20, "--box", 0, 0, 20, 20)
    code, _, err = run("predict", photo, other, *boxes, "--model", folder, "--out", tmp_path / "out")
    assert code == 0, err
    pictures = json.loads((tmp_path / "out" / "poses.json").read_text())["pictures"]
    assert [picture["crop"]["side"] for picture in pictures] == pytest.approx([30 * 1.12, 20 * 1.12])


TWO_BOXES = ["--box", "1", "2", "3", "4", "--box", "1", "2", "3", "4"]
BAD = [
    (["evaluate", "FOLDER", "--count", "0"], ["--count", "at least 1"]),
    (["evaluate", "FOLDER", "--part", "dev"], ["--part", "'dev'"]),
    (["evaluate", "FOLDER", "--graph", "nothing"], ["no graph named 'nothing'"]),
    (
        ["evaluate", "FOLDER", "--graph", "two-dots"],
        ["couples the parts red, green, but the network scores red, green,"],
    ),
    (["evaluate", "FOLDER", "--solver", "nothing"], ["no solver named 'nothing'"]),
    (["evaluate", "no/such/folder"], ["no/such/folder: no such folder"]),
    (["evaluate", "nothing"], ["no experiment named 'nothing'"]),
    (["evaluate", "not-shipped"], ["experiment.json is missing"]),
    (["evaluate", "FOLDER", "--nonsense"], ["--nonsense"]),
    (["evaluate", "FOLDER", "--set", "data.test.cuont=3"], ["dataset 'dots': no such key: cuont"]),
    (["evaluate", "FOLDER", "--set", "count"], ["a setting is KEY=VALUE"]),
    (["evaluate", "FOLDER", "--offsets", "mean"], ["--offsets"]),
    (["evaluate", "FOLDER", "--count", "many"], ["many"]),
    (["demo", "FOLDER", "--count", "-1"], ["--count"]),
    (["demo", "not-shipped"], ["experiment.json is missing"]),
    (["predict", "--out", "out", "--model", "FOLDER"], ["--photos"]),
    (["predict", "none.png", "--out", "out", "--model", "FOLDER"], ["none.png: no such file"]),
    (["predict", "toy.toml", "--out", "out", "--model", "FOLDER"], ["toy.toml: cannot be read as a picture"]),
    (["predict", "photo.png", "--model", "FOLDER"], ["--out"]),
    (
        ["predict", "photo.png", "--out", "out", "--model", "FOLDER", "--box", "90", "0", "5", "5"],
        ["outside the picture of 40 x 50 px"],
    ),
    (["predict", "photo.png", "--out", "out", "--model", "FOLDER", "--box", "1", "2"], ["box"]),
    (
        ["predict", "photo.png", "--out", "out", "--model", "FOLDER", *TWO_BOXES],
        ["--box was given 2 times for 1 pictures"],
    ),
    (["figures", "FOLDER", "--out", "out"], ["give a file or --index"]),
    (["figures", "FOLDER", "--out", "out", "--index", "99"], ["--index is from 0 to 9; found 99"]),
    (
        ["figures", "FOLDER", "--out", "out", "--index", "0", "--part", "nose"],
        ["--part 'nose' is none of red"],
    ),
    (["train", "none.toml", "--out", "run"], ["none.toml: no such file"]),
    (["train", "bad.toml", "--out", "run"], ["bad.toml: ", "stepz"]),
    (["train", "toy.toml"], ["--out"]),
    (["train", "toy.toml", "--out", "run", "--threads", "0"], ["--threads"]),
    (["train", "toy.toml", "--out", "run", "--device", "nonsense"], ["--device nonsense"]),
    (["train", "nan.toml", "--out", "run"], ["the loss is nan at step 0"]),
    (["train", "large.toml", "--out", "run"], ["training: batches of 999"]),
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_bad_input_is_one_line_and_exit_code_2(run, folder, config, photo, tmp_path, words, said):
    (tmp_path / "bad.toml").write_text(CONFIG.replace("steps", "stepz"))
    (tmp_path / "nan.toml").write_text(CONFIG.replace('name = "dot-loss"', 'name = "dot-loss"\nfactor = nan'))
    (tmp_path / "large.toml").write_text(CONFIG.replace("batch = 8", "batch = 999"))
    assert_one_line(*run(*(str(folder) if word == "FOLDER" else word for word in words)), *said)


def test_damaged_weights_are_one_line(run, folder, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / SIDECAR).write_bytes((folder / SIDECAR).read_bytes())
    (broken / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-50])
    assert_one_line(*run("evaluate", broken), "cannot be read as a trained network")


def test_a_device_that_is_not_there(run, config):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    assert_one_line(*run("train", config, "--out", "run", "--device", "cuda"), "--device cuda")


def test_an_experiment_without_graphs_asks_for_one(run, config, tmp_path):
    config.write_text(CONFIG.partition("[evaluation]")[0])
    assert run("train", config, "--out", tmp_path / "run")[0] == 0
    assert_one_line(*run("evaluate", tmp_path / "run"), "names no graphs; give one with --graph")
    code, out, _ = run("evaluate", tmp_path / "run", "--graph", "dots-alone")
    assert code == 0
    assert "dots-alone" in out


def test_results_that_cannot_be_written(run, folder, config):
    assert_one_line(*run("evaluate", folder, "--out", config), "toy.toml")


def test_a_graph_learned_from_the_training_data_is_evaluated(run, config, folder):
    code, out, err = run("graph", "learn", config, "--out", "own.json", "--count", 20)
    assert code == 0, err
    assert out.endswith("from 20 poses\n")
    code, out, err = run(
        "evaluate", folder, "--graph", "dots-star", "--graph", "own.json", "--count", 3, "--json"
    )
    assert code == 0, err
    assert list(json.loads(out)["reconstruction_error_mm"]) == ["dots-star", "own.json"]
    assert_one_line(*run("evaluate", folder, "--graph", "no.json"), "no.json: cannot be read")


def test_export_says_what_it_cannot_do(run, folder, tmp_path):
    pytest.importorskip("onnxscript")
    assert_one_line(*run("export", folder, "--out", tmp_path / "toy.onnx"), "DotNetwork", "Network.layers")
    assert_one_line(*run("export", folder, "--out", tmp_path / "toy"), "--out", "model.onnx")
    assert not list(tmp_path.glob("toy*"))
