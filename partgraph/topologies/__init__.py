"""Which parts to couple: graphs made from a skeleton, and learned from poses.

A *skeleton* is a networkx graph, or a graph of ours, whose edges are bones. All functions return a
`partgraph.Topology`.
"""

from partgraph.topologies.learned import Measure, information, learn, quadratics
from partgraph.topologies.skeletons import complete, k_hop, star, tree

__all__ = ["Measure", "complete", "information", "k_hop", "learn", "quadratics", "star", "tree"]
