"""The paper's human-pose system as plugins: skeleton, topologies, data, network, decoding and losses."""

from importlib.metadata import version

__version__ = version("partgraph-humanpose")
