"""Trained networks and interrupted training on disk: tensors as safetensors, everything else as JSON."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, final

import attrs
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from partgraph import plugins
from partgraph.learning.experiment import Experiment, from_mapping
from partgraph.learning.graph_names import copied_to
from partgraph.learning.model import Network
from partgraph.learning.overrides import override
from partgraph.learning.strict import ExperimentError

WEIGHTS, SIDECAR = "weights.safetensors", "experiment.json"
_FORMAT = "partgraph-trained-1"


@final
@attrs.frozen(eq=False)
class Trained:
    """A trained network and where it comes from.

    Attributes
    ----------
    experiment : the configuration it was trained with
    network : on the CPU, in evaluation mode, float32
    metrics : what was measured after training, and how
    """

    experiment: Experiment
    network: Network
    metrics: Mapping[str, Any]

    @property
    def flip(self) -> tuple[int, ...] | None:
        """Order of the parts after mirroring; None where the weights are from before that was stored."""
        stored = self.metrics.get("flip")
        return None if stored is None else tuple(stored)


def save_trained(
    folder: Path, experiment: Experiment, network: Network, metrics: Mapping[str, Any], *, half: bool = False
) -> None:
    """Write weights and their JSON sidecar; `half` stores floating-point weights as float16.

    Both files are written beside the old ones and then take their places. Graph files are copied, so that the folder
    needs no other.

    Raises
    ------
    ExperimentError
        When a number is too large for float16.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if half:
        tensors = {name: _half(name, tensor) for name, tensor in tensors.items()}
    folder.mkdir(parents=True, exist_ok=True)
    _replace_tensors(folder / WEIGHTS, tensors)
    sidecar = {
        "format": _FORMAT,
        "parts": list(network.parts),
        "experiment": copied_to(experiment, folder).to_json(),
        "metrics": dict(metrics),
    }
    _replace_text(folder / SIDECAR, _readable(sidecar) + "\n")


def trained_folder(model: str) -> Path:
    """Where a trained network lies, by its folder or the name of an installed experiment.

    Raises
    ------
    ExperimentError, UnknownPluginError
        When there is no such folder, or no such experiment.
    """
    folder = Path(model)
    if folder.is_dir():
        return folder
    if os.sep in model:
        raise ExperimentError(f"{model}: no such folder; give one that `partgraph train` wrote")
    installed = plugins.get("experiment", model)
    assert isinstance(installed, Path)
    return installed


def load_trained(folder: Path, settings: Sequence[str] = ()) -> Trained:
    """The network in a folder that `save_trained` wrote.

    Parameters
    ----------
    settings : changes to the experiment that leave the weights as they are, see `override`

    Raises
    ------
    ExperimentError
        When a file is missing or does not hold what it should, or a setting cannot be made.
    """
    try:
        sidecar = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))
        tensors = load_file(folder / WEIGHTS)
    except FileNotFoundError as error:
        raise ExperimentError(
            f"{folder}: {Path(error.filename or WEIGHTS).name} is missing; give a folder that `partgraph train` wrote"
        ) from None
    except (OSError, ValueError, SafetensorError) as error:  # no JSON and no text are ValueErrors
        raise ExperimentError(f"{folder}: cannot be read as a trained network: {error}") from None
    if not isinstance(sidecar, dict) or sidecar.get("format") != _FORMAT:
        raise ExperimentError(f"{folder / SIDECAR}: not the description of a trained network")
    absent = [key for key in ("parts", "experiment", "metrics") if key not in sidecar]
    if absent:
        raise ExperimentError(f"{folder / SIDECAR}: {', '.join(absent)} is missing; train the network anew")
    stored = from_mapping(sidecar["experiment"], str(folder / SIDECAR))
    experiment = override(stored.with_graph_files(lambda graph: str(folder / graph)), settings)
    network = experiment.build_network(tuple(sidecar["parts"]))
    try:
        network.load_state_dict({name: _full(tensor) for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise ExperimentError(
            f"{folder / WEIGHTS}: does not fit the model {experiment.model.name!r}: {_line(error)}"
        ) from None
    return Trained(experiment, network.eval(), sidecar["metrics"])


def state_path(folder: Path, stage: str = "training") -> Path:
    """Where the state of a stage of training is kept."""
    return folder / f"{stage}.safetensors"


class Resumable(Protocol):
    """What has a state of its own that training needs to go on."""

    def state(self) -> Mapping[str, Tensor]:
        """Everything that changes as training goes on."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there; without state as at the beginning."""


def save_state(
    folder: Path,
    network: Network,
    optimizer: torch.optim.Optimizer,
    step: int,
    stage: str = "training",
    further: Mapping[str, Resumable] | None = None,
) -> None:
    """Write everything that a stage of training needs to go on after `step` updates, in one file."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    names = _in_order(network, optimizer)
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{names[index]}.{key}": torch.as_tensor(value) for key, value in state.items()}
    for owner, resumable in (further or {}).items():
        tensors |= {f"{owner}.{name}": tensor for name, tensor in resumable.state().items()}
    tensors["step"] = torch.tensor(step)
    folder.mkdir(parents=True, exist_ok=True)
    _replace_tensors(
        state_path(folder, stage),
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
    )


def load_state(
    folder: Path,
    network: Network,
    optimizer: torch.optim.Optimizer,
    stage: str = "training",
    further: Mapping[str, Resumable] | None = None,
) -> int:
    """Restore what `save_state` wrote; the number of updates done, zero when there is nothing.

    Raises
    ------
    ExperimentError
        When the file is damaged or of another network.
    """
    path = state_path(folder, stage)
    if not path.exists():
        return 0
    try:
        tensors = load_file(path)
        network.load_state_dict(_under("network", tensors))
        step = int(tensors["step"])
    except (OSError, SafetensorError, RuntimeError, KeyError) as error:
        raise ExperimentError(
            f"{path}: cannot go on from here: {_line(error)}; delete it to start anew"
        ) from None
    state: dict[int, dict[str, Tensor]] = {}
    for index, name in enumerate(_in_order(network, optimizer)):
        if own := _under(f"optimizer.{name}", tensors):
            state[index] = own
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    for owner, resumable in (further or {}).items():
        resumable.restore(_under(owner, tensors))
    return step


def _in_order(network: Network, optimizer: torch.optim.Optimizer) -> list[str]:
    """The names of the parameters as the optimizer counts them."""
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    return [names[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]]


def _under(owner: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with `owner` and a dot, without these."""
    return {name.removeprefix(f"{owner}."): t for name, t in tensors.items() if name.startswith(f"{owner}.")}


def _readable(values: Mapping[str, Any]) -> str:
    """JSON with a line for each key, and lists of numbers on one."""
    text = json.dumps(values, indent=2)
    return re.sub(r"\[\n([-+\d.eE,\s]+)\n *\]", lambda found: f"[{' '.join(found[1].split())}]", text)


def save_best(folder: Path, network: Network, stage: str) -> None:
    """Write the weights of the best validation loss so far."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    _replace_tensors(state_path(folder, f"{stage}-best"), tensors)


def load_best(folder: Path, network: Network, stage: str) -> None:
    """Fill in what `save_best` wrote.

    Raises
    ------
    ExperimentError
        When the file is missing, damaged or of another network.
    """
    path = state_path(folder, f"{stage}-best")
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ExperimentError(
            f"{path}: the best weights cannot be read: {_line(error)}; take the last ones"
        ) from None


def _half(name: str, tensor: Tensor) -> Tensor:
    small = tensor.half() if tensor.is_floating_point() else tensor
    if not bool(small.isfinite().all()) and bool(tensor.isfinite().all()):
        raise ExperimentError(f"{name} holds numbers above float16's 65504; store the weights in full")
    return small


def _line(error: Exception) -> str:
    """The message of an error in one line."""
    return " ".join(str(error).split())


def _full(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _replace_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    save_file(tensors, temporary)
    temporary.replace(path)


def _replace_text(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
