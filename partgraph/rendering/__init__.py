"""Posed triangle meshes as pictures: for data sets that make their own images, with exact positions of every part.

`PosedMesh` is what an object's own code makes; `draw_scene` places it before a random camera, lamp and background and
gives a `Picture`: the image, the joints in the image and in space, and which of them are seen. NumPy is all it needs.
"""

from partgraph.rendering.mesh import PosedMesh
from partgraph.rendering.paint import Texture, muted_colors
from partgraph.rendering.rasterise import rasterise
from partgraph.rendering.scene import Paint, Picture, SceneOptions, draw_scene

__all__ = [
    "Paint",
    "Picture",
    "PosedMesh",
    "SceneOptions",
    "Texture",
    "draw_scene",
    "muted_colors",
    "rasterise",
]
