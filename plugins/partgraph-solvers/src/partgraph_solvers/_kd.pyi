from collections.abc import Sequence
from typing import Any

import numpy as np

class Tree:
    def __init__(self, positions: np.ndarray) -> None: ...

class View:
    def __init__(self, points: np.ndarray, tree: Tree) -> None: ...

class Scores:
    def __init__(self, scores: np.ndarray, tree: Tree) -> None: ...

class Star:
    def add(
        self,
        slot: int,
        tree: Tree,
        positions: View,
        edges: Sequence[tuple[View, View, np.ndarray, np.ndarray]] = (),
    ) -> None: ...
    def solve(
        self, scores: Sequence[Scores], pulls: Sequence[Any], n_best: int, max_boxes: int
    ) -> tuple[np.ndarray, float, bool, int, int]: ...
