"""The conformance kit of the core, on the processor and, where there is one, on a GPU."""

from __future__ import annotations

import torch
from partgraph_torch import Torch

from partgraph import Solver
from partgraph.testing import parametrize_with_checks

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@parametrize_with_checks([Torch(device=device, precision="float64") for device in DEVICES])
def test_conformance(subject: Solver, check) -> None:
    check(subject)
