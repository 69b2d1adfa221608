"""Poses in users' own pictures, written as overlays, a report and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from partgraph.learning.checkpoint import Trained
from partgraph.learning.infer import Answer, Decoder
from partgraph.learning.photo import Box, Crop, crop_photo, read_photo
from partgraph.learning.showcase import shown_graphs, skeleton_of
from partgraph.report import Case, Fact, Group, Pose, Report, draw_overlay, write_report

POSES, REPORT = "poses.json", "report.html"


@final
@attrs.frozen(eq=False)
class Prediction:
    """What was found in one picture.

    Attributes
    ----------
    path, picture : the file and its (H, W, 3) uint8 content
    crop : the square that the network saw
    answers : for each graph, in pixels of the crop
    """

    path: Path
    picture: NDArray[np.uint8]
    crop: Crop
    answers: dict[str, Answer]


def predict(trained: Trained, decoder: Decoder, path: Path, box: Box | None = None) -> Prediction:
    """Find the pose in a picture; `box` says where the object is, the whole picture when None."""
    picture = read_photo(path)
    crop = crop_photo(picture, box, trained.network.input_size)
    image = torch.from_numpy(np.array(crop.image)).permute(2, 0, 1)[None].float() / 255
    return Prediction(path, picture, crop, decoder(trained.network, image)[0])


def write_predictions(
    trained: Trained,
    predictions: Sequence[Prediction],
    folder: Path,
    footer: Sequence[Fact] = (),
    written: Callable[[Path], None] = lambda path: None,
    components: Sequence[Mapping[str, str]] = (),
) -> None:
    """One overlay ``NAME-pose.png`` for each picture, ``report.html`` and ``poses.json`` in `folder`.

    No picture that was read is overwritten. `components` says who answered (see `partgraph.provenance`).
    """
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    skeleton = skeleton_of(trained.experiment.dataset("test"))
    for prediction, path in zip(predictions, _overlays(predictions, folder), strict=True):
        graph, found = list(prediction.answers.items())[-1]
        pose = Pose(graph, prediction.crop.to_picture(found.positions))
        overlay = draw_overlay(
            prediction.picture, skeleton, [pose], size=min(1280, max(prediction.picture.shape))
        )
        Image.fromarray(overlay).save(path)
        written(path)
    values = {
        "model": trained.experiment.name,
        "parts": list(trained.network.parts),
        "partgraph": version("partgraph"),
        "components": list(components),
        "pictures": [_plain(prediction) for prediction in predictions],
    }
    (folder / POSES).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    written(folder / POSES)
    cases = tuple(
        Case(
            title=prediction.path.name,
            image=np.asarray(prediction.crop.image),
            poses=tuple(
                Pose(name, prediction.answers[name].positions) for name in shown_graphs(prediction.answers)
            ),
        )
        for prediction in predictions
    )
    report = Report(
        title="Poses",
        lead=f"Found by {trained.experiment.name} over {', '.join(predictions[0].answers)}.",
        skeleton=skeleton,
        groups=(Group("Pictures", cases, "The square that the network saw, and the pose in it."),),
        footer=tuple(footer),
    )
    write_report(report, folder / REPORT)
    written(folder / REPORT)


def _overlays(predictions: Sequence[Prediction], folder: Path) -> list[Path]:
    """A file for each picture, numbered where one that was read, or an overlay, has that name already."""
    taken = {prediction.path.resolve() for prediction in predictions}
    paths = []
    for prediction in predictions:
        path, number = folder / f"{prediction.path.stem}-pose.png", 1
        while path.resolve() in taken:
            number += 1
            path = folder / f"{prediction.path.stem}-pose-{number}.png"
        taken.add(path.resolve())
        paths.append(path)
    return paths


def _plain(prediction: Prediction) -> dict[str, Any]:
    crop = prediction.crop
    return {
        "file": str(prediction.path),
        "size": [prediction.picture.shape[1], prediction.picture.shape[0]],
        "crop": {"left": crop.left, "top": crop.top, "side": crop.scale * len(crop.image)},
        "poses": {
            name: {
                "positions_px": np.round(crop.to_picture(found.positions), 3).tolist(),
                "score": found.score,
                "upper_bound": found.upper_bound,
                "status": found.status.name,
                "seconds": found.seconds,
            }
            for name, found in prediction.answers.items()
        },
    }
