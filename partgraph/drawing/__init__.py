"""Pictures of graphs and their covers, as SVG."""

from partgraph.drawing.layout import layout
from partgraph.drawing.svg import draw_graph

__all__ = ["draw_graph", "layout"]
