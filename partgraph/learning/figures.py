"""The paper's figures 2, 3 and 4 of one image: what a network says about it, and what solvers make of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from partgraph.graph import Topology
from partgraph.learning.checkpoint import Trained
from partgraph.learning.dataset import Sample
from partgraph.learning.infer import Decoder
from partgraph.learning.overrides import override
from partgraph.learning.showcase import skeleton_of
from partgraph.learning.strict import ExperimentError
from partgraph.metrics import reconstruction_error
from partgraph.report import Pose
from partgraph.report.figures import Voxels, comparison_figure, views_figure, voxel_figure

VOXELS, COMPARISON, VIEWS = "voxels.svg", "comparison.svg", "views.svg"


@final
@attrs.frozen(eq=False)
class Shown:
    """The image that figures are of, and the truth where it is known.

    Attributes
    ----------
    image : (S, S, 3) uint8, RGB
    target : (N, 3) float, px of the image, or None
    world : (N, 3) float, mm, or None
    """

    image: NDArray[np.uint8]
    target: NDArray[np.floating] | None = None
    world: NDArray[np.floating] | None = None

    @classmethod
    def of(cls, sample: Sample) -> Shown:
        """The image of a sample, with its truth if it has one in three dimensions."""
        return cls(sample.image, sample.target, sample.world) if sample.is_3d else cls(sample.image)


def figures_of(
    trained: Trained, shown: Shown, decoders: Mapping[str, Decoder], parts: Sequence[str]
) -> dict[str, str]:
    """SVGs by file name: the voxels of some parts, each method against the truth, and the last one's pose in views.

    Parameters
    ----------
    decoders : the methods by name, each over one graph
    parts : whose voxels are drawn; the figure is left out where the model has no residuals to show
    """
    skeleton = skeleton_of(trained.experiment.dataset("test"))
    images = torch.from_numpy(np.array(shown.image)).permute(2, 0, 1)[None].float() / 255
    poses = []
    for name, decoder in decoders.items():
        (found,) = decoder(trained.network, images)[0].values()
        error = None if shown.world is None else float(reconstruction_error(found.positions, shown.world))
        poses.append(Pose(name, found.positions, error))
    truth = None if shown.target is None else Pose("truth", shown.target)
    figures = {
        COMPARISON: comparison_figure(shown.image, skeleton, poses, truth),
        VIEWS: views_figure(shown.image, skeleton, poses[-1:]),
    }
    if (voxels := voxels_of(trained, images)) is not None:
        figures[VOXELS] = voxel_figure(shown.image, voxels, parts, shown.target)
    return figures


@torch.inference_mode()
def voxels_of(trained: Trained, images: torch.Tensor) -> list[Voxels] | None:
    """The candidates of every part in one image (1, 3, S, S), at voxel centres and refined by residuals.

    None where the model lacks the option `residuals`, which says that it has none.
    """
    network = trained.network
    try:
        plain = override(trained.experiment, ["model.residuals=false"]).build_network(network.parts)
    except ExperimentError:
        return None
    plain.load_state_dict(network.state_dict())
    outputs, alone = network(images), Topology(network.parts)
    (refined,), (centers,) = network.problems(outputs, alone), plain.problems(outputs, alone)
    return [
        Voxels(part, before.positions.numpy(), after.positions.numpy(), after.scores.numpy())
        for part, before, after in zip(network.parts, centers.candidates, refined.candidates, strict=True)
    ]


def write_figures(figures: Mapping[str, str], folder: Path) -> list[Path]:
    """Write each figure into a folder that exists."""
    paths = [folder / name for name in figures]
    for path, text in zip(paths, figures.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths
