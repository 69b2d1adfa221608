"""Weights that a trunk's training starts from: those of a ResNet that was trained for something else.

Files hold arrays and nothing that is executed: ``.safetensors`` or ``.npz``. The arrays have the names of torchvision's
ResNets, or of the original Caffe networks' layers and blobs (``res2a_branch2a/0``), which are converted.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from partgraph.errors import PartGraphError
from partgraph_volumetric.trunk import NarrowTrunk, Normalise, Trunk

CAFFE_MEAN = (104.0, 117.0, 123.0)
"""Blue, green and red of the mean image that most Caffe networks subtract, out of 255."""


class BackboneError(PartGraphError, ValueError):
    """A file that does not hold the weights of this trunk."""


def load_backbone(trunk: Trunk | NarrowTrunk, path: Path) -> None:
    """Fill a trunk with weights from a file.

    Parameters
    ----------
    trunk : its layout must be the one the weights were trained in
    path : ``.safetensors`` or ``.npz``; a classifier in it is ignored

    Raises
    ------
    BackboneError
        When the file cannot be read, or holds other arrays than the trunk has. The trunk is left as it was.
    """
    arrays = _read(Path(path))
    if any(name.startswith("res2a_branch2a") for name in arrays):
        arrays = from_caffe(arrays)
    found = {name: array for name, array in arrays.items() if not _ignored(name)}
    wanted = {name: tensor for name, tensor in trunk.state_dict().items() if not _ignored(name)}
    missing, unknown = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    wrong = [
        f"{name} is {found[name].shape} where {tuple(wanted[name].shape)} is needed"
        for name in wanted.keys() & found.keys()
        if found[name].shape != tuple(wanted[name].shape)
    ]
    troubles = {"lacks": missing, "holds what the trunk does not:": unknown, "does not fit:": sorted(wrong)}
    for what, names in troubles.items():
        if names:
            raise BackboneError(
                f"{path} {what} {_few(names)}; give weights of a ResNet with the model's depth"
            )
    trunk.load_state_dict(
        {name: torch.from_numpy(np.array(array, np.float32)) for name, array in found.items()}, strict=False
    )


def from_caffe(
    arrays: Mapping[str, NDArray[np.floating]], mean: tuple[float, float, float] = CAFFE_MEAN
) -> dict[str, NDArray[np.float32]]:
    """Arrays of the original Caffe ResNets (He et al., 2016; also DeeperCut) under torchvision's names.

    Statistics and scale of batch normalisation are layers of their own in Caffe, the statistics sums with a common
    factor. Caffe's images are blue, green, red in 0..255 less `mean`; the first convolution is changed to take images
    normalised as here. That is exact but at the border, where the zeros of the padding stand for another colour.

    Parameters
    ----------
    arrays : ``layer/blob`` to array, for example ``res2a_branch2a/0`` and ``bn2a_branch2a/2``; others are ignored
    mean : blue, green, red, out of 255

    Returns
    -------
    dict
        Arrays of a `Trunk` in Caffe's layout.

    Raises
    ------
    BackboneError
        When an array is missing.
    """
    state: dict[str, NDArray[np.float32]] = {}
    layers = {name.partition("/")[0] for name in arrays}
    for layer, convolution, norm, suffix in filter(None, map(_place, sorted(layers | {"conv1"}))):
        statistics, scale = f"bn{suffix}", f"scale{suffix}"
        try:
            weight = np.asarray(arrays[f"{layer}/0"], np.float64)
            bias = np.asarray(arrays.get(f"{layer}/1", 0.0), np.float64)
            total, square, factor = (
                np.asarray(arrays[f"{statistics}/{blob}"], np.float64) for blob in range(3)
            )
            state[f"{norm}.weight"], state[f"{norm}.bias"] = (
                np.asarray(arrays[f"{scale}/{blob}"], np.float32) for blob in range(2)
            )
        except KeyError as error:
            raise BackboneError(f"the array {error.args[0]} of a Caffe network is missing") from None
        if layer == "conv1":
            weight, constant = _for_normalised_images(weight, mean)
            bias = bias + constant
        share = 1 / factor.item() if factor.item() else 0.0  # Caffe's own rule for statistics never gathered
        state[f"{convolution}.weight"] = weight.astype(np.float32)
        state[f"{norm}.running_mean"] = (total * share - bias).astype(np.float32)
        state[f"{norm}.running_var"] = (square * share).astype(np.float32)
    return state


def _ignored(name: str) -> bool:
    """Whether an array is of no use to a trunk: a classifier's, or a count that nobody reads."""
    return name.startswith("fc.") or name.endswith(".num_batches_tracked")


_LAYER = re.compile(r"res(?P<stage>[2-5])(?P<letter>[a-z])(?P<number>\d*)_branch(?P<branch>1|2a|2b|2c)")
_BRANCHES = {
    "1": ("downsample.0", "downsample.1"),
    "2a": ("conv1", "bn1"),
    "2b": ("conv2", "bn2"),
    "2c": ("conv3", "bn3"),
}


def _place(layer: str) -> tuple[str, str, str, str] | None:
    """A Caffe convolution, its name and its normalisation's here, and what follows bn and scale in theirs."""
    if layer == "conv1":
        return layer, "conv1", "bn1", "_conv1"
    match = _LAYER.fullmatch(layer)
    if match is None:
        return None
    # Blocks are a, b, c, ... or, where there are many, a, b1, b2, ...
    block = int(match["number"]) if match["number"] else ord(match["letter"]) - ord("a")
    convolution, norm = (
        f"layer{int(match['stage']) - 1}.{block}.{own}" for own in _BRANCHES[match["branch"]]
    )
    return layer, convolution, norm, layer.removeprefix("res")


def _for_normalised_images(
    weight: NDArray[np.float64], mean: tuple[float, float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A first convolution's weights (O, 3, h, w) for images as `Normalise` makes them, and what its output lacks."""
    normalise = Normalise()
    center, deviation = normalise.mean.double().numpy(), normalise.deviation.double().numpy()
    red_first = weight[:, ::-1]
    constant = 255 * center - np.array(mean[::-1])[:, None, None]
    return red_first * (255 * deviation), (red_first * constant).sum((1, 2, 3))


def _read(path: Path) -> dict[str, NDArray[np.floating]]:
    if path.suffix not in (".safetensors", ".npz"):
        raise BackboneError(
            f"{path}: weights are read from .safetensors or .npz; docs/human-pose.md says how to make one"
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError:
        raise BackboneError(f"{path}: no such file") from None
    except (OSError, ValueError, SafetensorError, zipfile.BadZipFile) as error:
        raise BackboneError(f"{path} cannot be read: {' '.join(str(error).split())}") from None


def _few(names: Sequence[str]) -> str:
    """The first names of many."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
