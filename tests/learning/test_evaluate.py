"""Another plugin's data, model, loss and graphs drop in by name, from training to the report."""

import json

import attrs
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from partgraph import plugins, solve  # noqa: E402
from partgraph.errors import UnknownComponentError  # noqa: E402
from partgraph.learning.baselines import mean_pose  # noqa: E402
from partgraph.learning.batches import collate  # noqa: E402
from partgraph.learning.calibrate import SCALES  # noqa: E402
from partgraph.learning.checkpoint import load_trained, state_path  # noqa: E402
from partgraph.learning.evaluate import CONSTANT, FLOOR, evaluate, summarise  # noqa: E402
from partgraph.learning.experiment import from_mapping  # noqa: E402
from partgraph.learning.infer import Decoder, answers_of  # noqa: E402
from partgraph.learning.showcase import report_of, shown_graphs, skeleton_of  # noqa: E402
from partgraph.learning.strict import ExperimentError  # noqa: E402
from partgraph.learning.tables import error_table, solver_table  # noqa: E402
from partgraph.learning.train import train  # noqa: E402
from partgraph.metrics import reconstruction_error, rooted_distances  # noqa: E402
from partgraph.report import write_report  # noqa: E402
from partgraph.solver import Status  # noqa: E402


class Silent:
    """A watcher that remembers."""

    def __init__(self):
        self.prepared, self.steps, self.scales = {}, [], []

    def preparing(self, what, total):
        self.prepared[what] = 0

        def advance(more):
            self.prepared[what] += more

        return advance

    def training(self, progress):
        self.steps.append(progress.step)

    def calibrating(self, graph, scale, error):
        self.scales.append((graph, scale, error))


@pytest.fixture(scope="module")
def trained(folder_of_trained):
    return load_trained(folder_of_trained)


@pytest.fixture(scope="module")
def evaluated(trained):
    return evaluate(
        trained.network,
        trained.experiment.dataset("test"),
        Decoder.of(trained.experiment.evaluation, trained.network.parts),
    )


def test_train_writes_what_load_reads(tmp_path, toy, experiment):
    watcher = Silent()
    train(experiment, tmp_path, watcher, command="partgraph train toy.toml", half=True)
    trained = load_trained(tmp_path)
    assert isinstance(trained.network, toy.DotNetwork)
    assert watcher.steps == [50, 60]
    assert {(graph, scale) for graph, scale, _ in watcher.scales} == {
        (graph, scale) for graph in ("dots-star", "dots-chain") for scale in SCALES
    }
    assert set(trained.experiment.evaluation.pairwise_scale) == {"dots-star", "dots-chain"}
    assert attrs.evolve(trained.experiment, evaluation=experiment.evaluation) == experiment
    assert (trained.network.weights > 0).all()
    assert not torch.equal(trained.network.weights, torch.ones(4, 4, 3))
    metrics = trained.metrics
    assert metrics["command"] == "partgraph train toy.toml"
    assert metrics["validation"]["images"] == 12
    assert set(metrics["validation"]["reconstruction_error_mm"]) == {"dots-alone", "dots-star", "dots-chain"}
    data = experiment.dataset("train")
    constant = mean_pose(np.stack([data[k].world for k in range(len(data))]))
    np.testing.assert_allclose(metrics["mean_pose_mm"], constant, atol=0.006)


def test_the_scale_chosen_is_the_best_of_those_tried(tmp_path, experiment):
    watcher = Silent()
    train(experiment, tmp_path, watcher)
    chosen = load_trained(tmp_path).experiment.evaluation.pairwise_scale
    for graph in ("dots-star", "dots-chain"):
        errors = {scale: error for name, scale, error in watcher.scales if name == graph}
        assert errors[chosen[graph]] == min(errors.values())


def test_calibrated_weights_are_those_of_the_validation_residuals(trained):
    data = trained.experiment.dataset("validation")
    batch = collate([data[k] for k in range(len(data))])
    with torch.inference_mode():
        residual = trained.network.offset_residuals(trained.network(batch.images), batch.target)
    of_twelve_two_thirds_are_within = np.sort(residual.abs().numpy(), axis=0)[7]
    sigma = (1 / (2 * trained.network.weights.numpy())) ** 0.5
    np.testing.assert_allclose(sigma, np.maximum(of_twelve_two_thirds_are_within, 0.25), rtol=1e-5)


def test_the_network_finds_what_it_was_trained_to_find(trained, evaluated):
    results = summarise(evaluated, trained.experiment.dataset("test"), trained.metrics["mean_pose_mm"])
    assert results.mean("dots-alone") < 0.35 * results.mean(CONSTANT)
    assert results.mean(FLOOR) < 1e-3


def test_errors_are_those_of_the_answers(evaluated, trained):
    data = trained.experiment.dataset("test")
    assert max(one.errors["dots-alone"] for one in evaluated) > 1  # else there were nothing to compare
    assert len(evaluated) == len(data) == 10
    for k, one in enumerate(evaluated):
        assert one.index == k
        np.testing.assert_array_equal(one.world, data[k].world)
        np.testing.assert_array_equal(one.visible, data[k].visible)
        assert one.labels == {"group": data[k].group}
        for graph, found in one.answers.items():
            assert one.errors[graph] == pytest.approx(reconstruction_error(found.positions, one.world))
            assert found.status is Status.OPTIMAL
            assert found.upper_bound == pytest.approx(found.score)
            assert found.seconds > 0


def test_batches_do_not_matter(trained, evaluated):
    again = evaluate(
        trained.network,
        trained.experiment.dataset("test"),
        Decoder.of(trained.experiment.evaluation, trained.network.parts),
        batch_size=3,
    )
    for one, other in zip(evaluated, again, strict=True):
        assert one.errors == pytest.approx(other.errors)


def test_count_and_progress(trained):
    done = []
    data = trained.experiment.dataset("test")
    decoder = Decoder.of(trained.experiment.evaluation, trained.network.parts)
    some = evaluate(trained.network, data, decoder, count=5, batch_size=2, advance=done.append)
    assert len(some) == 5
    assert done == [2, 2, 1]


def test_answers_are_the_best_candidates_of_tensor_problems(trained, evaluated):
    """Solved as NumPy, scored as tensors: one and the same."""
    data = trained.experiment.dataset("test")
    batch = collate([data[0]])
    outputs = trained.network(batch.images)
    for name, graph in Decoder.of(trained.experiment.evaluation, trained.network.parts).graphs.items():
        scale = trained.experiment.evaluation.pairwise_scale.get(name, 1.0)
        problem = trained.network.problems(outputs, graph, pairwise_scale=scale)[0]
        (found,) = answers_of([problem], "dynamic-programming")
        labels = solve(problem, "dynamic-programming").labels[0]
        np.testing.assert_allclose(found.positions, problem.positions(labels).detach().numpy())
        np.testing.assert_allclose(evaluated[0].answers[name].positions, found.positions)
        assert found.score == pytest.approx(problem.score(labels).item(), rel=1e-5)


def test_solvers_of_batches_get_batches_and_each_answer_its_share_of_the_time(trained):
    evaluation, batch = (
        trained.experiment.evaluation,
        collate([trained.experiment.dataset("test")[k] for k in range(6)]),
    )
    one_by_one, together = (
        Decoder.of(attrs.evolve(evaluation, solver=solver), trained.network.parts)(
            trained.network, batch.images
        )
        for solver in ("dynamic-programming", "together")
    )
    for graph in evaluation.graphs:
        for own, other in zip(one_by_one, together, strict=True):
            np.testing.assert_array_equal(other[graph].positions, own[graph].positions)
            assert (other[graph].score, other[graph].status) == (own[graph].score, own[graph].status)
        assert len({found[graph].seconds for found in together}) == 1
        assert together[0][graph].seconds > 0


class Round:
    """The toy's data set with a third group that no sample belongs to."""

    def __init__(self, dataset):
        self.__dict__ |= {name: getattr(dataset, name) for name in ("parts", "root", "clips", "published")}
        self.groupings = {"group": ("wide", "tall", "round")}


@pytest.fixture(scope="module")
def three_groups(trained):
    return Round(trained.experiment.dataset("test"))


def test_summary_of_nothing_is_refused(three_groups):
    with pytest.raises(ValueError, match="no sample was evaluated"):
        summarise([], three_groups)


def test_summary_by_group(evaluated, three_groups):
    results = summarise(evaluated, three_groups, None)
    assert results.methods == ("dots-alone", "dots-star", "dots-chain", FLOOR)
    assert results.graphs == ("dots-alone", "dots-star", "dots-chain")
    for k, group in enumerate(("wide", "tall")):
        own = [one.errors["dots-star"] for one in evaluated if one.labels["group"] == group]
        assert results.mean("dots-star", results.within("group", group)) == pytest.approx(np.mean(own))
        assert (results.splits["group"].of == k).sum() == len(own) == 5
    assert np.isnan(results.mean("dots-star", results.within("group", "round")))
    for k, one in enumerate(evaluated):
        distances = rooted_distances(one.answers["dots-star"].positions, one.world, 0)
        np.testing.assert_allclose(results.rooted[k, 1], distances)
        np.testing.assert_array_equal(results.visible[k], one.visible)
    assert results.certified.all()
    assert results.seconds.shape == results.gap.shape == (10, 3)


def test_skeleton_for_drawing(trained):
    skeleton = skeleton_of(trained.experiment.dataset("test"))
    assert skeleton.parts == ("red", "green", "left-blue", "right-blue")
    assert skeleton.limbs == ((0, 1), (0, 2), (0, 3))
    assert skeleton.sides == ("center", "center", "left", "right")


def test_tables(evaluated, three_groups):
    results = summarise(evaluated, three_groups, np.eye(4, 3))
    table = error_table(results)
    assert [column.name for column in table.columns] == [
        "wide",
        "tall",
        "round",
        "mean",
        "mean of groups",
        "minus dots-alone",
        "± over groups",
    ]
    assert [row.label for row in table.rows] == [
        "dots-alone",
        "dots-star",
        "dots-chain",
        CONSTANT,
        FLOOR,
    ]
    assert [row.note for row in table.rows] == ["", "", "", "baseline", "baseline"]
    star = table.rows[1].cells
    assert star[0].value == pytest.approx(results.mean("dots-star", results.within("group", "wide")))
    assert star[2].value is None
    assert star[3].value == pytest.approx(results.mean("dots-star"))
    assert star[4].value == pytest.approx((star[0].value + star[1].value) / 2)
    found = results.difference("dots-star", "dots-alone")
    assert (star[5].value, star[5].uncertainty, star[6].value) == (found.mean, found.error, found.clip_error)
    assert table.rows[0].cells[5].value is None
    best = min(results.graphs, key=results.mean)
    assert [row.label for row in table.rows if row.cells[3].emphasis] == [best]
    speed = solver_table(results)
    assert [row.label for row in speed.rows] == ["dots-alone", "dots-star", "dots-chain"]
    assert speed.rows[1].cells[0].value == pytest.approx(1000 * np.median(results.seconds[:, 1]))
    assert speed.rows[1].cells[2].value == 100


@pytest.mark.parametrize("count", [1, 2, 10])
def test_report(tmp_path, evaluated, trained, count):
    data = trained.experiment.dataset("test")
    results = summarise(evaluated[:count], data, trained.metrics["mean_pose_mm"])
    report = report_of("Dots", data, evaluated[:count], results)
    assert len(report.groups) == 5
    by_error = sorted(range(count), key=lambda k: evaluated[k].errors["dots-chain"])
    best, worst = report.groups[1].cases, report.groups[3].cases
    assert best[0].poses[-1].error == evaluated[by_error[0]].errors["dots-chain"]
    assert worst[0].poses[-1].error == evaluated[by_error[-1]].errors["dots-chain"]
    assert "nan" not in " ".join(fact.value + fact.note for fact in report.facts)
    write_report(report, tmp_path / "report.html")
    assert "Dots" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_report_of_one_graph(tmp_path, trained):
    data = trained.experiment.dataset("test")
    decoder = Decoder({"dots-star": plugins.get("graph", "dots-star")}, {}, "dynamic-programming")
    evaluated = evaluate(trained.network, data, decoder)
    report = report_of("Dots", data, evaluated, summarise(evaluated, data))
    write_report(report, tmp_path / "report.html")


def test_report_of_more_graphs_than_there_are_colours(tmp_path, trained):
    graph = plugins.get("graph", "dots-star")
    data = trained.experiment.dataset("test")
    decoder = Decoder({f"g{k}": graph for k in range(9)}, {}, "dynamic-programming")
    evaluated = evaluate(trained.network, data, decoder, count=3)
    results = summarise(evaluated, data)
    report = report_of("Dots", data, evaluated, results)
    assert len(report.tables[0].rows) == 10
    assert report.pose_names[0] == "g0"
    assert report.pose_names[-1] == "g8"
    write_report(report, tmp_path / "report.html")


def test_shown_graphs():
    assert shown_graphs("abc") == ("a", "b", "c")
    assert shown_graphs("abcde") == ("a", "b", "c", "d", "e")
    assert shown_graphs("abcdefg") == ("a", "b", "c", "d", "g")


@pytest.mark.parametrize(
    ("section", "key", "value", "error", "words"),
    [
        ("loss", "name", "dotty", UnknownComponentError, "dotty"),
        ("model", "name", "dotty", UnknownComponentError, "dotty"),
        ("model", "cell", 5, ExperimentError, "cells of 5 px"),
        ("evaluation", "graphs", ["dotty"], UnknownComponentError, "dotty"),
        (
            "evaluation",
            "graphs",
            ["two-dots"],
            ExperimentError,
            "graph 'two-dots' couples the parts red, green, but",
        ),
        ("evaluation", "solver", "dotty", UnknownComponentError, "dotty"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(
    tmp_path, toy, values, monkeypatch, section, key, value, error, words
):
    values[section][key] = value
    experiment = from_mapping(values, "toy.toml")
    monkeypatch.setattr(toy.Dots, "pending", lambda self: pytest.fail("the data were made first"))
    with pytest.raises(error) as caught:
        train(experiment, tmp_path, Silent())
    assert words in str(caught.value)
    assert not (state_path(tmp_path)).exists()


def test_data_that_must_be_made_are_made(tmp_path, toy, experiment, monkeypatch):
    made = []
    monkeypatch.setattr(toy.Dots, "pending", lambda self: 0 if self.split in made else len(self))

    def prepare(self, workers=None, advance=lambda made: None):
        made.append(self.split)
        advance(len(self))

    monkeypatch.setattr(toy.Dots, "prepare", prepare)
    watcher = Silent()
    train(experiment, tmp_path, watcher)
    assert made == ["train", "validation"]
    assert watcher.prepared == {"training images": 40, "validation images": 12}


def test_an_experiment_without_graphs_is_trained_all_the_same(tmp_path, toy, values):
    values["evaluation"] = {}
    train(from_mapping(values, "toy.toml"), tmp_path, Silent())
    metrics = load_trained(tmp_path).metrics
    assert "validation" not in metrics
    assert "mean_pose_mm" in metrics
    json.dumps(metrics, allow_nan=False)
