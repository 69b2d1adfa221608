"""Configurations that were found to violate the margin, remembered for each sample of a data set.

A configuration is remembered by its parts' positions: the candidates themselves change from step to step, where only
the best voxels of a part are candidates. The same image later has candidates near these positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from partgraph.problem import Problem


@final
class Violators:
    """Up to K configurations for each sample of a data set, and how often they were used since they were found.

    Parameters
    ----------
    reuse : how often they may be used again
    """

    def __init__(self, reuse: int) -> None:
        self.reuse = reuse
        self._found: dict[int, tuple[NDArray[np.float64], int]] = {}

    def recall(self, sample: int, problem: Problem) -> NDArray[np.intp] | None:
        """What is remembered of a sample, as configurations of the candidates that are nearest now.

        Parameters
        ----------
        problem : of arrays; candidates that are forbidden are not taken

        Returns
        -------
        (M, N) intp, each once, or None where a new search is due
        """
        positions, used = self._found.get(sample, (None, 0))
        if positions is None or used >= self.reuse:
            return None
        labels = np.stack(
            [_nearest(problem, part, positions[:, part]) for part in range(positions.shape[1])], axis=1
        )
        _, first = np.unique(labels, axis=0, return_index=True)
        return labels[np.sort(first)]

    def used(self, sample: int) -> None:
        """Count that a sample's configurations were used again."""
        positions, used = self._found[sample]
        self._found[sample] = positions, used + 1

    def remember(self, sample: int, problem: Problem, labels: NDArray[np.intp]) -> None:
        """Keep configurations (M, N) of a sample's problem in place of those before."""
        self._found[sample] = np.asarray(problem.positions(labels), np.float64), 0

    def state(self) -> dict[str, Tensor]:
        """Everything that is remembered."""
        return {
            "uses": torch.tensor([[sample, used] for sample, (_, used) in self._found.items()]).view(-1, 2),
            **{str(sample): torch.from_numpy(own) for sample, (own, _) in self._found.items()},
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Remember that, and nothing else."""
        uses = state["uses"].tolist() if "uses" in state else []
        self._found = {sample: (state[str(sample)].numpy(), used) for sample, used in uses}


def _nearest(problem: Problem, part: int, positions: NDArray[np.float64]) -> NDArray[np.intp]:
    """(M,) the allowed candidates of a part that are nearest to the positions (M, D)."""
    allowed = np.flatnonzero(problem.unary_scores(part) > -np.inf)
    apart = problem.candidates[part].positions[allowed][None] - positions[:, None]
    return allowed[np.square(apart).sum(-1).argmin(1)]
