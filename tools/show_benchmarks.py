"""Fill the tables of docs/benchmarks.md from what the benchmarks wrote.

python benchmarks/bench_solvers.py --json benchmarks.json
python tools/show_benchmarks.py benchmarks.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
SHOWN, LARGEST, FROM = (
    8000,
    32768,
    2197,
)  # candidates of a part: in the tables, and in the sentences below them
RIVALS = (
    "kd-branch-and-bound",
    "pykdtree",
    "pykdtree cascade",
    "pynanoflann",
    "pynanoflann cascade",
    "NumPy",
)

Row = Mapping[str, Any]


def stars(tables: Mapping[str, Sequence[Row]]) -> str:
    """Branch and bound's times, and its rivals' as multiples."""
    ratios = {_key(row): row for row in tables["star-ratios"]}
    head = ["build", "solve", "20 best", "opened", "KD variant", *RIVALS[1:]]

    def cells(row: Row) -> list[str]:
        others = [_times(ratios[_key(row)].get(rival)) for rival in RIVALS]
        return [_number(row[name]) for name in ("build", "solve", "20 best")] + [
            f"{row['opened']:.0f}",
            *others,
        ]

    easy = next(row for row in tables["stars"] if _key(row) == (LARGEST, "easy", "constant"))
    return _table(head, tables["stars"], cells) + (
        f"\nAt K = {LARGEST} the class `easy` takes {_number(easy['build'])} + {_number(easy['solve'])} ms. "
        f"{_memory(tables['stars'])}\n"
    )


def two_hop(tables: Mapping[str, Sequence[Row]]) -> str:
    """The exact solver's times and certificates, and its rivals' times as multiples."""
    rivals = {_key(row): row for row in tables["two-hop-rivals"]}
    head = ["build", "solve", "p90", "20 best", "left", "certified", "ADMM", "best penalty", "pytoulbar2"]

    def cells(row: Row) -> list[str]:
        other = rivals[_key(row)]
        searched = other["toulbar2"] / other["exact"] if other.get("toulbar2") else None
        others = [_times(ratio) for ratio in (other.get("x ADMM"), other.get("x best rho"), searched)]
        own = [_number(row[name]) for name in ("build", "solve", "p90", "20 best")]
        return [*own, f"{row['left 1']:.0f}", row["certified"], *others]

    rows = tables["two-hop"]
    proven, of = (sum(int(row["certified"].split("/")[side]) for row in rows) for side in (0, 1))
    sizes = sorted({row["K"] for row in rows})
    return _table(head, rows, cells) + (
        f"\nCertified over all sizes from K = {sizes[0]} to {sizes[-1]}: {proven} of {of} poses. "
        f"At K = {LARGEST} the medians are {_span(rows, 'constant')} ms with constant offsets and "
        f"{_span(rows, 'anchors')} ms with anchors. {_memory(rows)}\n"
    )


def threads(tables: Mapping[str, Sequence[Row]]) -> str:
    """What a second thread adds to `solve_many`."""
    gains = ", ".join(f"{row['graph']} {row['2 over 1']:.2f}" for row in tables["solve-many"])
    return f"Poses a second with two threads of `solve_many` over those with one: {gains}.\n"


def _key(row: Row) -> tuple[int, str, str]:
    return row["K"], row["class"], row["offsets"]


def _table(head: Sequence[str], rows: Sequence[Row], cells: Callable[[Row], Sequence[str]]) -> str:
    lines = [["class", "offsets", *head], ["---", "---", *["---:"] * len(head)]]
    lines += [[row["class"], row["offsets"], *cells(row)] for row in rows if row["K"] == SHOWN]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}" if value >= 2 else f"{value:.2f}"


def _times(ratio: float | None) -> str:
    return "–" if ratio is None else f"{_number(ratio)} x"


def _memory(rows: Sequence[Row]) -> str:
    most = max(row["memory"] for row in rows if row["K"] >= FROM)
    return f"Peak memory beyond the input is at most {most:.1f} times the input from K = {FROM} on."


def _span(rows: Sequence[Row], offsets: str) -> str:
    times = [row["solve"] for row in rows if row["K"] == LARGEST and row["offsets"] == offsets]
    return f"{_number(min(times))} to {_number(max(times))}"


def main() -> None:
    """Fill the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, help="what `bench_solvers.py --json` wrote")
    options = parser.parse_args()
    tables = {
        name: table["rows"]
        for name, table in json.loads(options.results.read_text(encoding="utf-8"))["tables"].items()
    }
    page = PAGE.read_text(encoding="utf-8")
    for name, show in (("stars", stars), ("two-hop", two_hop), ("threads", threads)):
        begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->\n"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = before + begin + show(tables) + end + after
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
