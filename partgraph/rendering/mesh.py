"""What is drawn: a triangle mesh in one pose, and its joints."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray


@attrs.frozen(eq=False)
class PosedMesh:
    """An object in one pose, metres, z up.

    Attributes
    ----------
    vertices : (V, 3) float, m
    faces : (F, 3) int
        Corners of the triangles, counter-clockwise seen from outside; the mesh is closed.
    joints : (N, 3) float, m
        The parts whose positions a data set tells.
    depth_inside : float, m
        How far behind the surface a joint lies at most: what is farther behind is hidden by another limb.
    """

    vertices: NDArray[np.floating]
    faces: NDArray[np.integer]
    joints: NDArray[np.floating]
    depth_inside: float
