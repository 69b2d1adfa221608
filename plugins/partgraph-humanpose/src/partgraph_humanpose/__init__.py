"""The paper's human poses as plugins: skeleton, topologies, data and trained weights."""

from importlib.metadata import version

__version__ = version("partgraph-humanpose")
