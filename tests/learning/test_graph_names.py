"""Graph files of an experiment: beside its file when it is read, in the folder of the weights when they are saved."""

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cattrs")

import attrs  # noqa: E402

from partgraph import plugins  # noqa: E402
from partgraph.cli.models import decoder_of  # noqa: E402
from partgraph.errors import ProblemError  # noqa: E402
from partgraph.graph_files import load_graph, save_graph  # noqa: E402
from partgraph.learning.checkpoint import SIDECAR, load_trained, save_trained  # noqa: E402
from partgraph.learning.experiment import from_mapping, read_experiment  # noqa: E402
from partgraph.learning.graph_names import copied_to, shown  # noqa: E402
from partgraph.learning.infer import Decoder  # noqa: E402
from partgraph.learning.train import train  # noqa: E402

TEXT = """
name = "toy"
data = {train = {name = "dots"}, validation = {name = "dots"}, test = {name = "dots"}}
model = {name = "dot-network"}
loss = {name = "dot-loss"}

[evaluation]
graphs = ["dots-alone", "own.json", "deep/star.json"]
pairwise_scale = {"own.json" = 0.3, dots-alone = 2.0}

[structured]
loss = {name = "structured-hinge", graph = "own.json"}
training = {steps = 1}
"""


@pytest.fixture
def home(toy, tmp_path, monkeypatch):
    """A folder with graph files, which is not the current one."""
    folder = tmp_path / "home"
    (folder / "deep").mkdir(parents=True)
    save_graph(plugins.get("graph", "dots-chain"), folder / "own.json")
    save_graph(plugins.get("graph", "dots-star"), folder / "deep" / "star.json")
    (folder / "toy.toml").write_text(TEXT)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


def named(experiment):
    """Every graph that an experiment names."""
    evaluation = experiment.evaluation
    return *evaluation.graphs, *evaluation.pairwise_scale, experiment.structured.loss.options["graph"]


def test_files_are_found_beside_the_experiment(home):
    own, star = str(home / "own.json"), str(home / "deep" / "star.json")
    assert named(read_experiment(home / "toy.toml")) == ("dots-alone", own, star, own, "dots-alone", own)


def test_absolute_paths_stay(home, tmp_path):
    path = tmp_path / "toy.toml"
    path.write_text(TEXT.replace("own.json", str(home / "own.json")))
    assert read_experiment(path).evaluation.graphs[1] == str(home / "own.json")


def test_tables_call_a_file_by_its_name_and_factors_follow(home, toy):
    decoder = Decoder.of(read_experiment(home / "toy.toml").evaluation, toy.PARTS)
    assert list(decoder.graphs) == ["dots-alone", "own.json", "star.json"]
    assert decoder.pairwise_scale == {"own.json": 0.3, "dots-alone": 2.0}
    assert decoder.graphs["own.json"].edges == plugins.get("graph", "dots-chain").edges


def test_files_of_one_name_are_called_by_their_paths():
    names = ["star", "a/leg.json", "b/leg.json", "a/arm.json", "a/arm.json"]
    assert list(shown(names).values()) == ["star", "a/leg.json", "b/leg.json", "arm.json"]


def test_a_saved_network_needs_no_other_folder(home, toy, tmp_path):
    experiment = read_experiment(home / "toy.toml")
    save_trained(tmp_path / "out", experiment, experiment.build_network(toy.PARTS), {})
    stored = json.loads((tmp_path / "out" / SIDECAR).read_text())["experiment"]
    assert stored["evaluation"]["graphs"] == ["dots-alone", "graphs/own.json", "graphs/star.json"]
    assert stored["evaluation"]["pairwise_scale"] == {"graphs/own.json": 0.3, "dots-alone": 2.0}
    assert stored["structured"]["loss"]["graph"] == "graphs/own.json"
    for path in (home / "own.json", home / "deep" / "star.json"):
        path.unlink()
    moved = (tmp_path / "out").rename(tmp_path / "moved")
    trained = load_trained(moved)
    for stage in trained.experiment.stages()[1:]:
        stage.losses[0][1].check(toy.PARTS)  # which opens its graph
    decoder = Decoder.of(trained.experiment.evaluation, toy.PARTS)
    assert list(decoder.graphs) == ["dots-alone", "own.json", "star.json"]
    assert decoder.pairwise_scale["own.json"] == 0.3
    again = tmp_path / "again"
    save_trained(again, trained.experiment, trained.network, {})
    assert (again / SIDECAR).read_text() == (moved / SIDECAR).read_text()
    save_trained(moved, trained.experiment, trained.network, {})  # onto itself
    assert load_graph(moved / "graphs" / "star.json").edges == plugins.get("graph", "dots-star").edges


def test_files_of_one_name_are_numbered(home, tmp_path):
    save_graph(plugins.get("graph", "dots-star"), home / "deep" / "own.json")
    experiment = read_experiment(home / "toy.toml")
    graphs = (str(home / "own.json"), str(home / "deep" / "own.json"))
    experiment = attrs.evolve(experiment, evaluation=attrs.evolve(experiment.evaluation, graphs=graphs))
    copied = copied_to(experiment, tmp_path)
    assert copied.evaluation.graphs == ("graphs/own.json", "graphs/own-2.json")
    for source, copy in zip(graphs, copied.evaluation.graphs, strict=True):
        assert load_graph(source).edges == load_graph(tmp_path / copy).edges


def test_what_is_no_graph_is_not_copied(home, tmp_path):
    (home / "own.json").write_text("[]")
    with pytest.raises(ProblemError, match=r"own\.json: is no node-link graph"):
        copied_to(read_experiment(home / "toy.toml"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_experiments_without_files_get_no_folder(experiment, tmp_path):
    assert copied_to(experiment, tmp_path) == experiment
    assert not (tmp_path / "graphs").exists()


def test_a_graph_is_the_experiments_own_by_its_name_and_a_file_by_its_path(home, toy, tmp_path, monkeypatch):
    experiment = read_experiment(home / "toy.toml")
    save_trained(tmp_path / "out", experiment, experiment.build_network(toy.PARTS), {})
    trained = load_trained(tmp_path / "out")
    save_graph(plugins.get("graph", "dots-star"), "own.json")
    chain, star = (plugins.get("graph", name).edges for name in ("dots-chain", "dots-star"))
    kept = decoder_of(trained, ["own.json"], None)
    assert (kept.graphs["own.json"].edges, kept.pairwise_scale["own.json"]) == (chain, 0.3)
    ((name, graph),) = decoder_of(trained, ["./own.json"], None).graphs.items()
    assert (name, graph.edges) == ("./own.json", star)


class Spoiler:
    """A watcher that overwrites the graph files as soon as training speaks."""

    def __init__(self, folder):
        self.folder, self.called = folder, set()

    def preparing(self, what, total):
        return lambda made: None

    def training(self, progress):
        for path in self.folder.rglob("*.json"):
            path.write_text("spoilt")

    def calibrating(self, graph, scale, error):
        self.called.add(graph)


def test_training_goes_by_the_graphs_it_began_with(home, two_stages, tmp_path):
    two_stages["evaluation"]["graphs"] = ["dots-alone", "own.json"]
    two_stages["structured"]["loss"]["graph"] = "deep/star.json"
    experiment = from_mapping(two_stages, "toy.toml").with_graph_files(lambda graph: str(home / graph))
    watcher = Spoiler(home)
    train(experiment, tmp_path / "out", watcher)
    assert (home / "own.json").read_text() == "spoilt"
    assert watcher.called == {"own.json", "star.json"}
    trained = load_trained(tmp_path / "out")
    assert set(trained.metrics["validation"]["reconstruction_error_mm"]) >= {"dots-alone", "own.json"}
    assert trained.experiment.evaluation.pairwise_scale[str(tmp_path / "out/graphs/star.json")] == 1.0
