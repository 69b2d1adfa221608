"""What is saved is loaded again, and what is damaged or missing is refused in one line."""

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from partgraph.learning.checkpoint import (  # noqa: E402
    SIDECAR,
    WEIGHTS,
    load_state,
    load_trained,
    save_state,
    save_trained,
    state_path,
)
from partgraph.learning.strict import ExperimentError  # noqa: E402


@pytest.fixture
def network(experiment, toy):
    torch.manual_seed(0)
    network = experiment.build_network(toy.PARTS)
    with torch.no_grad():
        network.offsets.normal_()
        network.weights.uniform_(0.1, 2)
    return network


@pytest.fixture
def folder(tmp_path, experiment, network):
    folder = tmp_path / "trained"
    save_trained(folder, experiment, network, {"mean_pose_mm": [[1.5, 2, 3]]})
    return folder


def test_round_trip(folder, experiment, network):
    trained = load_trained(folder)
    assert trained.experiment == experiment
    assert trained.metrics == {"mean_pose_mm": [[1.5, 2, 3]]}
    assert trained.network.parts == network.parts
    assert not trained.network.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(trained.network.state_dict()[name], tensor), name
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(trained.network(images).scores, network(images).scores)


def test_half_is_half_as_large_and_close(tmp_path, experiment, network, folder):
    save_trained(tmp_path / "half", experiment, network, {}, half=True)
    trained = load_trained(tmp_path / "half")
    for name, tensor in network.state_dict().items():
        loaded = trained.network.state_dict()[name]
        assert loaded.dtype == torch.float32
        assert torch.equal(loaded, tensor.half().float()), name
    sizes = [(path / WEIGHTS).stat().st_size for path in (tmp_path / "half", folder)]
    assert sizes[0] < 0.65 * sizes[1]


def test_half_refuses_what_it_cannot_hold(tmp_path, experiment, network):
    with torch.no_grad():
        network.offsets[0, 1, 2] = 1e5
    with pytest.raises(ExperimentError, match="offsets holds numbers above float16"):
        save_trained(tmp_path, experiment, network, {}, half=True)
    assert not (tmp_path / WEIGHTS).exists()


def test_saving_again_replaces_and_leaves_nothing_else(folder, experiment, network):
    with torch.no_grad():
        network.offsets.zero_()
    save_trained(folder, experiment, network, {"again": True})
    assert sorted(path.name for path in folder.iterdir()) == sorted([WEIGHTS, SIDECAR])
    assert load_trained(folder).metrics == {"again": True}
    assert not load_trained(folder).network.offsets.any()


@pytest.mark.parametrize("name", [WEIGHTS, SIDECAR])
def test_missing_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(ExperimentError) as caught:
        load_trained(folder)
    assert f"{name} is missing" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_folder(tmp_path):
    with pytest.raises(ExperimentError, match="is missing"):
        load_trained(tmp_path / "nowhere")


@pytest.mark.parametrize("name", [WEIGHTS, SIDECAR])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: b"\xff\xfe" + content,
        lambda content: b"[1, 2]",
        lambda content: b"null",
    ],
    ids=["empty", "cut", "garbled", "list", "null"],
)
def test_damaged_file(folder, name, damage):
    path = folder / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ExperimentError) as caught:
        load_trained(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["format", "parts", "experiment", "metrics"])
def test_sidecar_without_a_key(folder, key):
    sidecar = json.loads((folder / SIDECAR).read_text())
    del sidecar[key]
    (folder / SIDECAR).write_text(json.dumps(sidecar))
    with pytest.raises(ExperimentError) as caught:
        load_trained(folder)
    assert SIDECAR in str(caught.value)


def test_sidecar_with_an_unknown_key_is_refused(folder):
    sidecar = json.loads((folder / SIDECAR).read_text())
    sidecar["experiment"]["training"]["stepz"] = 1
    (folder / SIDECAR).write_text(json.dumps(sidecar))
    with pytest.raises(ExperimentError, match="stepz"):
        load_trained(folder)


def test_weights_of_another_network(folder):
    sidecar = json.loads((folder / SIDECAR).read_text())
    sidecar["parts"] = ["a", "b"]
    (folder / SIDECAR).write_text(json.dumps(sidecar))
    with pytest.raises(ExperimentError) as caught:
        load_trained(folder)
    assert "does not fit the model 'dot-network'" in str(caught.value)
    assert "offsets" in str(caught.value)
    assert "\n" not in str(caught.value)


def step(network, optimizer, seed):
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    optimizer.zero_grad()
    (network(images).scores.square().sum() + network.offsets.sub(seed).square().sum()).backward()
    optimizer.step()


def fresh(experiment, toy):
    network = experiment.build_network(toy.PARTS)
    return network, torch.optim.AdamW(network.parameters(), lr=0.1)


def test_state_goes_on_bit_by_bit(tmp_path, experiment, toy):
    network, optimizer = fresh(experiment, toy)
    assert load_state(tmp_path, network, optimizer) == 0
    for seed in range(3):
        step(network, optimizer, seed)
    save_state(tmp_path, network, optimizer, 3)
    other, its_optimizer = fresh(experiment, toy)
    assert load_state(tmp_path, other, its_optimizer) == 3
    for seed in range(3, 6):
        step(network, optimizer, seed)
        step(other, its_optimizer, seed)
    for name, tensor in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name


def test_state_of_parameters_that_were_never_updated(tmp_path, experiment, toy):
    network, optimizer = fresh(experiment, toy)
    optimizer.zero_grad()
    network.offsets.square().sum().backward()
    optimizer.step()
    save_state(tmp_path, network, optimizer, 1)
    other, its_optimizer = fresh(experiment, toy)
    load_state(tmp_path, other, its_optimizer)
    assert its_optimizer.state_dict()["state"].keys() == optimizer.state_dict()["state"].keys()
    step(network, optimizer, 1)
    step(other, its_optimizer, 1)
    assert torch.equal(network.scores.weight, other.scores.weight)


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_damaged_state(tmp_path, experiment, toy, content):
    network, optimizer = fresh(experiment, toy)
    save_state(tmp_path, network, optimizer, 3)
    whole = (state_path(tmp_path)).read_bytes()
    (state_path(tmp_path)).write_bytes(whole[:-20] if content is None else content)
    with pytest.raises(ExperimentError) as caught:
        load_state(tmp_path, network, optimizer)
    assert "cannot go on from here" in str(caught.value)
    assert "delete it" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_state_of_another_network(tmp_path, experiment, toy):
    network, optimizer = fresh(experiment, toy)
    save_state(tmp_path, network, optimizer, 3)
    other = experiment.build_network(toy.PARTS[:2])
    with pytest.raises(ExperimentError) as caught:
        load_state(tmp_path, other, torch.optim.AdamW(other.parameters()))
    assert state_path(tmp_path).name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_are_no_state(tmp_path, experiment, toy):
    from safetensors.torch import save_file

    network, optimizer = fresh(experiment, toy)
    save_file({f"network.{name}": t for name, t in network.state_dict().items()}, state_path(tmp_path))
    with pytest.raises(ExperimentError, match="step"):
        load_state(tmp_path, network, optimizer)
