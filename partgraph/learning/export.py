"""Networks as ONNX files, for other runtimes and languages; what they say is then decoded there."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import torch

from partgraph.errors import PartGraphError
from partgraph.learning.model import Network

_NEEDED = ("onnx", "onnxscript")


class ExportError(PartGraphError, RuntimeError):
    """A network that cannot be written as ONNX here."""


def export_onnx(network: Network, path: Path) -> tuple[str, ...]:
    """Write a network's layers as an ONNX file that takes any number of images.

    Parameters
    ----------
    network : on the CPU, in evaluation mode
    path : replaced when the file is whole

    Returns
    -------
    tuple of str
        Names of the outputs; the input is called ``images``, (B, 3, S, S) float32 in [0, 1].

    Raises
    ------
    ExportError
        When a package is missing, or the network does not offer it.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(
            f"ONNX files need {' and '.join(missing)}; "
            f"install what is missing, for example with pip install 'partgraph[export]'"
        )
    layers = network.layers()
    if layers is None:
        raise ExportError(
            f"{type(network).__name__} does not say what its outputs are as tensors; it would by Network.layers"
        )
    module, names = layers
    images = torch.zeros(2, 3, network.input_size, network.input_size)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    torch.onnx.export(
        module.eval(),
        (images,),
        temporary,
        input_names=["images"],
        output_names=list(names),
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    temporary.replace(path)
    return names
