"""Two processes train what one does; training that is killed ends bit by bit as if it had not been."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
from safetensors.torch import load_file  # noqa: E402

from partgraph.learning.checkpoint import WEIGHTS, state_path  # noqa: E402
from partgraph.learning.experiment import read_experiment  # noqa: E402
from partgraph.learning.fit import fit  # noqa: E402
from partgraph.learning.log import LOG  # noqa: E402
from partgraph.learning.processes import Processes, ProcessesError, joined  # noqa: E402
from partgraph.learning.stage import StageError  # noqa: E402
from partgraph.learning.train import Silent, train  # noqa: E402

PROGRAMS = Path(__file__).parent / "programs"
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or not torch.distributed.is_gloo_available(), reason="needs gloo"
)


@pytest.fixture
def run(toy_path):
    """Runs Python with the toy plugin installed."""

    def run(*arguments):
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([*toy_path, *filter(None, sys.path)]),
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def config(tmp_path, two_stages):
    """An experiment in which everything that has a state is at work."""
    two_stages["training"] |= {"steps": 110, "accumulate": 2, "precision": "float16", "validate": 30}
    two_stages["augmentation"] = {"flip": 0.5, "color": 0.2}
    second = two_stages["structured"]
    second["loss"]["reuse"] = 2
    second["augmentation"] = {"color": 0.2}
    second["training"] |= {"steps": 60, "accumulate": 2, "checkpoint": 9, "validate": 20, "keep": "best"}
    second["pairwise_rate"] = 3.0
    return write(tmp_path / "toy.toml", two_stages)


def write(path, values):
    lines = []

    def table(name, own):
        plain = {key: value for key, value in own.items() if not isinstance(value, dict)}
        if name:
            lines.append(f"[{name}]")
        lines.extend(f"{key} = {json.dumps(value)}" for key, value in plain.items())
        for key, value in own.items():
            if isinstance(value, dict):
                table(f"{name}.{key}" if name else key, value)

    table("", values)
    path.write_text("\n".join(lines))
    return path


@pytest.mark.slow
def test_killed_training_ends_bit_by_bit_as_uninterrupted(tmp_path, toy, run, config):
    """With kill -9, in the first stage and in the second."""
    train(read_experiment(config), tmp_path / "whole", Silent())
    for stage, step in (("training", 100), ("structured", 50)):
        killed = run(PROGRAMS / "killed.py", config, tmp_path / "broken", stage, step)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert state_path(tmp_path / "broken", stage).exists()
        assert not (tmp_path / "broken" / WEIGHTS).exists()
    train(read_experiment(config), tmp_path / "broken", Silent())
    for name in (WEIGHTS, "training.safetensors", "structured.safetensors", "structured-best.safetensors"):
        whole, broken = (load_file(tmp_path / folder / name) for folder in ("whole", "broken"))
        assert whole.keys() == broken.keys()
        for key, tensor in whole.items():
            assert torch.equal(tensor, broken[key]), (name, key)


@pytest.mark.slow
def test_two_processes_do_things_together(tmp_path, run):
    done = run(*TORCHRUN, PROGRAMS / "together.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]


@pytest.mark.slow
def test_two_processes_train_what_one_does(tmp_path, toy, run, two_stages):
    """The same losses and weights up to rounding, through both stages; the first process alone writes."""
    two_stages["training"]["steps"] = 20
    two_stages["augmentation"] = {"flip": 0.5, "rotation": 10.0, "color": 0.2, "erase": 0.5}
    config = write(tmp_path / "toy.toml", two_stages)
    train(read_experiment(config), tmp_path / "one", Silent())
    done = run(*TORCHRUN, "-m", "partgraph", "train", config, "--out", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Trained toy") == 1
    logs = [
        [json.loads(line) for line in (tmp_path / name / LOG).read_text().splitlines()]
        for name in ("one", "two")
    ]
    assert [(line["stage"], line["step"]) for line in logs[1]] == [("training", 20), ("structured", 6)]
    for one, two in zip(*logs, strict=True):
        assert two["terms"] == pytest.approx(one["terms"], rel=1e-4)
    one, two = (load_file(tmp_path / name / WEIGHTS) for name in ("one", "two"))
    # No score depends on a part's bias: its gradient is nothing but rounding.
    for name in one.keys() - {"scores.bias"}:
        torch.testing.assert_close(two[name], one[name], rtol=1e-3, atol=1e-4, msg=name)


def test_alone_without_torchrun(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined("cpu") as processes:
        assert processes == Processes(0, 1, 0)
        assert processes.leads
        assert processes.share(7) == slice(0, 7)
        assert processes.agree(lambda: 5) == 5
        tensor = torch.ones(2)
        processes.sum([tensor])
        assert torch.equal(tensor, torch.ones(2))


def test_what_processes_cannot_share(tmp_path, toy, experiment, two_stages):
    from partgraph.learning.experiment import from_mapping

    with pytest.raises(ProcessesError, match="batch of 8 cannot be shared by 3"):
        fit(experiment, experiment.dataset("train"), tmp_path, processes=Processes(1, 3, 1))
    two_stages["training"]["accumulate"] = 4
    with pytest.raises(StageError, match=r"by 4 processes in 4 parts each; choose .* multiple of 16"):
        train(from_mapping(two_stages, "toy.toml"), tmp_path, Silent(), processes=Processes(1, 4, 1))
    two_stages["training"]["accumulate"] = 1
    two_stages["structured"]["loss"]["reuse"] = 1
    with pytest.raises(StageError, match="reused by one process only"):
        train(from_mapping(two_stages, "toy.toml"), tmp_path, Silent(), processes=Processes(1, 2, 1))


def test_another_checkpoint_than_the_first_process_has(tmp_path, experiment, monkeypatch):
    monkeypatch.setattr(Processes, "agree", lambda self, make: 14)
    with pytest.raises(ProcessesError, match=r"process 1 finds another checkpoint .* all machines share"):
        fit(experiment, experiment.dataset("train"), tmp_path, processes=attrs.evolve(Processes(), rank=1))
