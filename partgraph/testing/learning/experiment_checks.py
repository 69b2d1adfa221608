"""What every trained network that ships with a plugin must do: load, and find a pose over each of its graphs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from partgraph.testing.skipping import needs


def check_it_loads_and_answers(folder: Path) -> None:
    """The network finds a position of every part in a picture, over every graph that its experiment names."""
    needs("safetensors", "cattrs")
    from partgraph.learning.checkpoint import load_trained
    from partgraph.learning.infer import Decoder
    from partgraph.testing.learning.model_checks import pictures

    trained = load_trained(folder)
    decoder = Decoder.of(trained.experiment.evaluation, trained.network.parts, trained.flip)
    (answers,) = decoder(trained.network, pictures(trained.network, 1))
    assert answers, "the experiment names no graphs to evaluate"
    for graph, answer in answers.items():
        assert answer.positions.shape == (len(trained.network.parts), 3), f"over {graph!r} there is no pose"
        assert np.isfinite(answer.positions).all(), f"over {graph!r} positions are not finite"


def check_what_was_measured_is_told(folder: Path) -> None:
    """The sidecar holds the command that trained the network, and errors on validation data."""
    needs("safetensors", "cattrs")
    from partgraph.learning.checkpoint import load_trained

    metrics = load_trained(folder).metrics
    for key in ("command", "validation"):
        assert metrics.get(key), (
            f"experiment.json does not tell {key!r} in its metrics; train with `partgraph train`"
        )


CHECKS: tuple[Callable[[Path], None], ...] = (check_it_loads_and_answers, check_what_was_measured_is_told)
"""All checks of a trained network."""
