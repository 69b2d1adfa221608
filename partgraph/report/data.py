"""The poses of a report as JSON for the page's viewer, safe to embed in HTML."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from partgraph.metrics import similarity_transform
from partgraph.report.cases import Case
from partgraph.report.content import Report

Json = Any


def viewer_data(report: Report) -> dict[str, Json]:
    """What the viewer draws: the skeleton, and each case's poses keyed by colour index (0 is the truth)."""
    skeleton = report.skeleton
    return {
        "parts": list(skeleton.parts),
        "sides": list(skeleton.sides),
        "limbs": [[*limb, side] for limb, side in zip(skeleton.limbs, skeleton.limb_sides(), strict=True)],
        "cases": [_case_data(case, report.colours) for case in report.cases],
    }


def embed_json(value: Json) -> str:
    """JSON that can stand in a <script> element: no text in it can end the element or start a comment."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))  # ASCII, so no U+2028 either
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _case_data(case: Case, colours: dict[str, int]) -> dict[str, Json]:
    height, width = case.image.shape[:2]
    positions = {colours[pose.name]: pose.positions for pose in case.all_poses}
    data: dict[str, Json] = {"size": [width, height], "poses": _keyed_rows(positions)}
    truth = None if case.truth is None else case.truth.positions
    if truth is not None and truth.shape[1] == 3:
        data["aligned"] = _keyed_rows({colour: _aligned(found, truth) for colour, found in positions.items()})
    return data


def _aligned(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The pose moved, turned and scaled onto the truth, by the parts known in both; as it is if these are none."""
    both = ~(np.isnan(found) | np.isnan(truth)).any(axis=1)
    return similarity_transform(found[both], truth[both])(found) if both.any() else found


def _keyed_rows(positions: dict[int, np.ndarray]) -> dict[str, Json]:
    return {str(colour): _rows(rows) for colour, rows in positions.items()}


def _rows(positions: np.ndarray) -> list[list[float] | None]:
    """One list of coordinates per part, None where the position is unknown."""
    return [None if np.isnan(row).any() else [round(float(value), 2) for value in row] for row in positions]
