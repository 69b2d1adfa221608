"""Solvers against each other and their rivals, on the same generated poses in one run.

    python benchmarks/bench_solvers.py [--quick] [--json FILE]

Poses of 16 parts with K candidates each (`instances.py`), in classes of difficulty, with constant offsets and with one
per candidate (anchors). Times are medians over poses in milliseconds of one thread's processor time, rivals' of one
pose per row; only ratios between columns of one run mean anything. Blocks, centers, candidates left, shares and gaps
do not depend on the machine. Every rival is checked to find the same best score; those that are not installed are
named under the table, and so are rows that no time is left for.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
sys.path.insert(0, str(Path(__file__).parent))

from instances import CLASSES, star_edges, tree_edges, two_hop_edges  # noqa: E402
from loops import trees, two_hop  # noqa: E402
from many import many  # noqa: E402
from measure import Deadline, Table, write_json  # noqa: E402
from rich.console import Console  # noqa: E402
from stars import stars  # noqa: E402

TABLES = ("stars", "trees", "two-hop", "many")
SHARES = {"stars": 0.4, "trees": 0.15, "two-hop": 0.4, "many": 0.05}
"""Of the time, for each table at most."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few small poses, to see that everything runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the tables there")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument(
        "--grids", type=int, nargs="+", default=[8, 13, 20, 32], help="candidates along each axis"
    )
    parser.add_argument("--classes", nargs="+", choices=CLASSES, default=list(CLASSES))
    parser.add_argument("--seeds", type=int, default=3, help="poses per row")
    parser.add_argument("--minutes", type=float, default=14.0, help="begin no further row after this time")
    options = parser.parse_args()
    if options.quick:
        options.grids, options.classes, options.seeds = [5], ["easy", "lr"], 1
    console = Console(width=None if sys.stdout.isatty() else 220)
    made: list[Table] = []
    for name in options.only:
        share = SHARES[name] / sum(SHARES[each] for each in options.only)
        deadline = Deadline(options.minutes * share)
        tables = run(name, options, deadline)
        for table in tables:
            table.show(console)
        made += tables
    if options.json:
        write_json(options.json, made)


def run(name: str, options: argparse.Namespace, deadline: Deadline) -> list[Table]:
    """Return the tables of one name."""
    common = options.grids, options.classes, options.seeds
    most_pairs = 8000**2  # all pairs of larger ones take minutes
    if name == "stars":
        return stars(*common, deadline, most_pairs)
    if name == "trees":
        return [trees(tree_edges(), *common, deadline, most_pairs)]
    if name == "two-hop":
        return two_hop(two_hop_edges(), *common, deadline)
    graphs = {"star": star_edges(), "two-hop": two_hop_edges()}
    return [
        many(
            graphs, max(grid for grid in options.grids if grid <= 20), 1, 1 if options.quick else 8, deadline
        )
    ]


if __name__ == "__main__":
    main()
