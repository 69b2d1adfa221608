"""The paper's network for any object: scores of voxels, residuals and offsets, their decoding and their losses."""

from importlib.metadata import version

__version__ = version("partgraph-volumetric")
