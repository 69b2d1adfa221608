"""Dogs as plugins: skeleton, topologies, a rendered data set and trained weights."""

from importlib.metadata import version

__version__ = version("partgraph-dogpose")
