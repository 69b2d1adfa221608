"""Self-contained HTML reports and static pictures of 2D and 3D poses, for any skeleton."""

from partgraph.report.cases import Case, Group, Pose, Skeleton
from partgraph.report.content import Fact, Report
from partgraph.report.overlay import draw_overlay, draw_views
from partgraph.report.page import write_report
from partgraph.report.tables import Cell, Column, Row, Table

__all__ = [
    "Case",
    "Cell",
    "Column",
    "Fact",
    "Group",
    "Pose",
    "Report",
    "Row",
    "Skeleton",
    "Table",
    "draw_overlay",
    "draw_views",
    "write_report",
]
