"""The paper's figures 2, 3 and 4 for any image, as SVG: voxels and residuals, methods against the truth, views."""

from partgraph.report.figures.poses import comparison_figure, views_figure
from partgraph.report.figures.voxels import Voxels, voxel_figure

__all__ = ["Voxels", "comparison_figure", "views_figure", "voxel_figure"]
