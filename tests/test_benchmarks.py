"""The benchmarks run from end to end: every table is made, and every rival that is installed finds the same score."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[1] / "benchmarks/bench_solvers.py"


@pytest.mark.skipif(find_spec("partgraph_solvers") is None, reason="partgraph-solvers is not installed")
def test_every_table_of_the_quick_run(tmp_path: Path) -> None:
    written = tmp_path / "tables.json"
    command = [sys.executable, str(BENCHMARK), "--quick", "--json", str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tables = json.loads(written.read_text(encoding="utf-8"))["tables"]
    assert {name: len(table["rows"]) for name, table in tables.items()} == {
        "stars": 4,
        "star-rivals": 4,
        "star-ratios": 4,
        "trees": 2,
        "two-hop": 4,
        "two-hop-rivals": 4,
        "two-hop-admm": 4,
        "solve-many": 2,
    }
    for row in (*tables["trees"]["rows"], *tables["two-hop"]["rows"]):
        assert row["certified"] == "1/1"
    for table in tables.values():
        assert table["title"] in done.stdout.replace("\n", "")
    for module in ("scipy", "pykdtree", "pynanoflann", "torch"):
        if find_spec(module):
            assert tables["star-rivals"]["rows"][0][module] > 0
        else:
            assert f"not installed, not compared: {module}" in tables["star-rivals"]["notes"]
