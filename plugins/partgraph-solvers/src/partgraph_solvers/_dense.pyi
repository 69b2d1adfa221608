from collections.abc import Sequence

import numpy as np

MAX_AXES: int

def add_quadratic(
    table: np.ndarray, x: np.ndarray, y: np.ndarray, weight: np.ndarray, offset: np.ndarray
) -> None: ...
def lowest(tables: Sequence[np.ndarray]) -> float: ...
def search(
    unary: Sequence[np.ndarray],
    edges: Sequence[tuple[int, int]],
    tables: Sequence[np.ndarray],
    n_best: int,
    threshold: float,
    max_passes: int,
    max_nodes: int,
    max_seconds: float,
) -> tuple[np.ndarray, float, bool, dict[str, int]]: ...
