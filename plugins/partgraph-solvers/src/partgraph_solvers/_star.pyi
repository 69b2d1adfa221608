from collections.abc import Sequence
from typing import Any

import numpy as np

MAX_COORDINATES: int

def instruction_sets() -> tuple[str, ...]: ...
def spatial_order(points: np.ndarray, known: np.ndarray | None = None) -> np.ndarray: ...

class Blocks:
    def __init__(self, points: np.ndarray, order: np.ndarray) -> None: ...
    @property
    def order(self) -> np.ndarray: ...
    @property
    def count(self) -> int: ...

class Scores:
    def __init__(self, scores: np.ndarray, blocks: Blocks) -> None: ...

class Star:
    def __init__(self, slot: int, center: Blocks) -> None: ...
    def add_leaf(
        self,
        slot: int,
        positions: Blocks,
        edges: Sequence[tuple[Blocks, Blocks, np.ndarray, np.ndarray]],
    ) -> None: ...
    def solve(
        self,
        scores: Sequence[Scores],
        pulls: Sequence[Any],
        n_best: int,
        max_blocks: int,
        instruction_set: str | None = None,
    ) -> tuple[np.ndarray, np.ndarray, float, bool, int, int]: ...
    def marginals(
        self, scores: Sequence[Scores], pulls: Sequence[Any], threshold: float
    ) -> list[tuple[np.ndarray, np.ndarray]]: ...
    def best_centers(self, scores: Scores, labels: np.ndarray, n_best: int) -> list[tuple[int, float]]: ...
