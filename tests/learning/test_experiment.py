"""Experiment files: strict, and every message is one line that names the key."""

import copy
import itertools
import json

import attrs
import pytest

from partgraph.errors import PartGraphError, UnknownComponentError

pytest.importorskip("torch")
pytest.importorskip("cattrs")

from partgraph.learning.experiment import Choice, Training, from_mapping, read_experiment
from partgraph.learning.strict import ExperimentError

TEXT = """
name = "toy"
seed = 3

[data.train]
name = "dots"
count = 40

[data.validation]
name = "dots"
split = "validation"

[data.test]
name = "dots"
split = "test"

[model]
name = "dot-network"
size = 32

[loss]
name = "dot-loss"

[augmentation]
flip = 1
rotation = 15.0

[training]
steps = 60
learning_rate = 1e-2

[evaluation]
graphs = ["dots-alone", "dots-star"]
pairwise_scale = {dots-star = 0.3}
"""


@pytest.fixture
def file(tmp_path, toy):
    path = tmp_path / "toy.toml"
    path.write_text(TEXT)
    return path


def test_reads_every_section(file, toy):
    experiment = read_experiment(file)
    assert (experiment.name, experiment.seed) == ("toy", 3)
    assert experiment.dataset("train").count == 40
    assert experiment.dataset("test").split == "test"
    assert experiment.build_model() == toy.DotModel(size=32)
    assert experiment.build_loss() == toy.DotLoss()
    assert experiment.augmentation.rotation == 15.0
    assert experiment.augmentation.flip == 1.0
    assert experiment.training == Training(steps=60, learning_rate=1e-2)
    assert experiment.evaluation.graphs == ("dots-alone", "dots-star")
    assert experiment.evaluation.pairwise_scale == {"dots-star": 0.3}


def test_json_round_trip(file):
    experiment = read_experiment(file)
    again = from_mapping(json.loads(json.dumps(experiment.to_json())), "sidecar")
    assert again == experiment


def change(values, path, value):
    """The values with the entry at a dotted path replaced, or removed for None."""
    changed = copy.deepcopy(values)
    *above, last = path.split(".")
    table = changed
    for key in above:
        table = table.setdefault(key, {})
    if value is None:
        del table[last]
    else:
        table[last] = value
    return changed


WRONG = [
    ("nonsense", 1, ["nonsense"]),
    ("training.stepz", 1, ["training", "stepz", "steps"]),
    ("augmentation.flop", 0.5, ["augmentation", "flop"]),
    ("training.steps", "many", ["training.steps", "whole number", "'many'"]),
    ("training.steps", 2.7, ["training.steps", "2.7"]),
    ("training.steps", True, ["training.steps", "True"]),
    ("training.steps", -1, ["steps", "-1"]),
    ("training.learning_rate", "0.1", ["training.learning_rate", "'0.1'"]),
    ("training", 3, ["training", "table", "3"]),
    ("seed", "0", ["seed", "'0'"]),
    ("name", 5, ["name", "text", "5"]),
    ("name", None, ["name", "missing"]),
    ("model", None, ["model", "missing"]),
    ("data.validation", None, ["data.validation", "missing"]),
    ("model", "dot-network", ["model", "table with a name"]),
    ("model", {"size": 32}, ["model", "table with a name"]),
    ("evaluation.graphs", "dots-star", ["evaluation.graphs", "list", "'dots-star'"]),
    ("evaluation.graphs", ["dots-star", 3], ["evaluation.graphs", "text", "3"]),
    ("evaluation.pairwise_scale", [1.0], ["evaluation.pairwise_scale", "table"]),
    ("evaluation.pairwise_scale", {"dots-star": "big"}, ["evaluation.pairwise_scale", "'big'"]),
    ("evaluation.solver", 3, ["evaluation.solver", "text", "3"]),
]


@pytest.mark.parametrize(("path", "value", "words"), WRONG, ids=[f"{p}={v!r}" for p, v, _ in WRONG])
def test_what_is_wrong_is_one_line_that_names_file_and_key(toy, values, path, value, words):
    with pytest.raises(ExperimentError) as caught:
        from_mapping(change(values, path, value), "toy.toml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("toy.toml: ")
    for word in words:
        assert word in message
    assert isinstance(caught.value, PartGraphError)


def test_every_mistake_is_told_at_once(toy, values):
    wrong = change(change(values, "training.steps", "many"), "augmentation.flop", 1)
    with pytest.raises(ExperimentError, match=r"training\.steps.*; .*flop|flop.*; .*training\.steps"):
        from_mapping(wrong, "toy.toml")


WRONG_OPTIONS = [
    ("dataset", "dots", {"splt": "test"}, ["dataset 'dots'", "splt", "split"]),
    ("dataset", "dots", {"split": "dev"}, ["dataset 'dots'", "split", "'dev'", "'validation'"]),
    ("dataset", "dots", {"count": 2.5}, ["dataset 'dots'", "count", "2.5"]),
    ("loss", "dot-loss", {"factor": "1"}, ["loss 'dot-loss'", "factor", "'1'"]),
    ("loss", "plain-loss", {"factor": 1.0}, ["loss 'plain-loss'", "factor", "no options"]),
    ("loss", "bare-loss", {"factor": 1.0}, ["loss 'bare-loss'", "factor", "no options"]),
]


@pytest.mark.parametrize(("kind", "name", "options", "words"), WRONG_OPTIONS)
def test_wrong_options_of_a_component(toy, kind, name, options, words):
    with pytest.raises(ExperimentError) as caught:
        Choice(name, options).build(kind)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_components_without_options(toy):
    assert Choice("plain-loss").build("loss") is toy.PLAIN
    assert isinstance(Choice("bare-loss").build("loss"), toy.PlainLoss)


def test_options_that_do_not_go_together(toy, values):
    experiment = from_mapping(change(values, "model.cell", 5), "toy.toml")
    with pytest.raises(ExperimentError, match="model 'dot-network': 32 px do not divide into cells of 5 px"):
        experiment.build_network(toy.PARTS)


def test_unknown_component_lists_the_known_ones(toy, values):
    experiment = from_mapping(change(values, "loss.name", "dotty-loss"), "toy.toml")
    with pytest.raises(UnknownComponentError, match=r"dotty-loss.*toy:dot-loss"):
        experiment.build_loss()


def test_missing_file(tmp_path):
    with pytest.raises(ExperimentError, match=r"none\.toml: no such file"):
        read_experiment(tmp_path / "none.toml")


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe\x00", b"[a]\n[a]\n"])
def test_no_toml(tmp_path, content):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ExperimentError, match=r"bad\.toml: not a TOML file"):
        read_experiment(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ExperimentError, match="not a TOML file"):
        read_experiment(tmp_path)


def test_learning_rate_rises_stays_and_falls():
    training = Training(steps=100, learning_rate=2.0, warmup=10, decay=20)
    rates = [training.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[4] == pytest.approx(1.0)
    assert rates[9:81] == pytest.approx([2.0] * 72)
    assert rates[90] == pytest.approx(1.0)
    assert rates[99] == pytest.approx(0.1)
    assert rates[:10] == sorted(rates[:10])
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[80:]))


def test_training_can_be_lengthened_without_changing_what_was_done():
    short, long = (Training(steps=steps, warmup=10, decay=20) for steps in (100, 200))
    assert [short.rate(k) for k in range(80)] == [long.rate(k) for k in range(80)]


def test_restarts_begin_at_half_the_rate_and_end_with_a_decay_of_their_own():
    training = Training(steps=100, learning_rate=2.0, warmup=10, decay=20, restarts=(10, 40))
    plain = attrs.evolve(training, restarts=())
    assert training.total == 150
    assert plain.total == 100
    assert [training.rate(k) for k in range(100)] == [plain.rate(k) for k in range(100)]
    assert [training.rate(k) for k in (100, 105, 109)] == pytest.approx(
        [1.0, 0.5, 0.1]
    )  # shorter than a decay
    assert [training.rate(k) for k in (110, 129, 140, 149)] == pytest.approx([1.0, 1.0, 0.5, 0.05])


def test_a_restart_can_be_lengthened_without_changing_what_was_done():
    short, long = (Training(steps=50, decay=20, restarts=(10, further)) for further in (40, 80))
    assert [short.rate(k) for k in range(80)] == [long.rate(k) for k in range(80)]


@pytest.mark.parametrize("restarts", [(0,), (5, -1)])
def test_a_restart_without_steps_is_refused(restarts):
    with pytest.raises(ValueError, match="restarts"):
        Training(restarts=restarts)


def test_learning_rate_without_warmup_and_decay_is_constant():
    training = Training(steps=5, learning_rate=0.1, warmup=0, decay=0)
    assert [training.rate(step) for step in range(5)] == [0.1] * 5


def test_warmup_and_decay_that_overlap_never_exceed_either():
    training = Training(steps=10, learning_rate=1.0, warmup=10, decay=10)
    for step in range(10):
        assert training.rate(step) == pytest.approx(min((step + 1) / 10, (10 - step) / 10))
