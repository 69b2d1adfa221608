"""Tables of one and of several evaluations, and how they are written, against the numbers they are made from."""

import csv
import io
import json

import attrs
import numpy as np
import pytest
from scipy import stats

from partgraph.learning.compare import comparison_tables
from partgraph.learning.dataset import Published
from partgraph.learning.results import Results, Split
from partgraph.learning.results_file import ResultsError
from partgraph.learning.tables import (
    crossed_table,
    error_table,
    metric_table,
    part_table,
    published_table,
    tables_of,
    visibility_table,
)
from partgraph.report import Cell, Column, Row, Table
from partgraph.report.formats import CSV_FIELDS, to_csv, to_json, to_markdown

PUBLISHED = (
    Published("others", "their paper", {"": 80.0}),
    Published("two-hop", "a paper, table 1", {"": 60.0, "walk": 50.0, "kick": 75.0}),
    Published("two-hop", "a paper, table 3", {"S1": 55.0, "S1/left": 54.0, "left": 53.0}),
)


def some(count=40, seed=0, **changes):
    """Walking is twice as frequent as kicking."""
    random = np.random.default_rng(7)
    of = {
        "action": np.arange(count) % 3 // 2,
        "subject": random.integers(0, 2, count),
        "camera": random.integers(0, 3, count),
        "take": random.integers(0, 8, count),
    }
    values = {
        "action": ("walk", "kick"),
        "subject": ("S1", "S2"),
        "camera": ("left", "middle", "right"),
        "take": tuple("abcdefgh"),
    }
    visible = random.random((count, 2)) < 0.7
    noise = np.random.default_rng(seed)
    own = noise.normal(100, 30, (count, 1, 1))
    aligned = np.abs(own + noise.normal([[0], [-8], [20]], 6, (count, 3, 2)))
    results = Results(
        methods=("unary-only", "two-hop", "constant"),
        graphs=("unary-only", "two-hop"),
        parts=("head", "hand"),
        aligned=aligned,
        rooted=aligned * 1.5,
        visible=visible,
        splits={name: Split(values[name], of[name]) for name in of},
        clips="take",
        seconds=noise.exponential(0.01, (count, 2)),
        certified=noise.random((count, 2)) < 0.5,
        gap=noise.exponential(1.0, (count, 2)),
        pictures=f"the {count}",
        about={"data": "people, test"},
    )
    return attrs.evolve(results, **changes)


def cells(table):
    """Values by row label, the note behind it, and column."""
    return {
        (f"{row.label}, {row.note}" if row.note else row.label, column.name): cell
        for row in table.rows
        for cell, column in zip(row.cells, table.columns, strict=True)
    }


def values(table):
    return {key: cell.value for key, cell in cells(table).items()}


def test_errors_by_action_weigh_images_and_actions():
    results = some()
    found = cells(error_table(results))
    of = results.splits["action"].of
    walk, kick = (results.of("two-hop")[of == k].mean() for k in (0, 1))
    assert found["two-hop", "walk"].value == pytest.approx(walk)
    assert found["two-hop", "mean"].value == pytest.approx(results.of("two-hop").mean())
    assert found["two-hop", "mean of actions"].value == pytest.approx((walk + kick) / 2)
    gain = results.of("two-hop") - results.of("unary-only")
    assert found["two-hop", "minus unary-only"].value == pytest.approx(gain.mean())
    assert found["two-hop", "minus unary-only"].uncertainty == pytest.approx(stats.sem(gain))
    assert found["two-hop", "± over takes"].value == results.difference("two-hop", "unary-only").clip_error
    assert found["unary-only", "minus unary-only"].value is None
    assert found["constant, baseline", "minus unary-only"].value is None


def test_actions_of_one_size_have_one_mean():
    results = some(count=30)
    even = attrs.evolve(
        results, splits=results.splits | {"action": Split(("walk", "kick"), np.arange(30) % 2)}
    )
    assert "mean of actions" in [column.name for column in error_table(results).columns]
    assert "mean of actions" not in [column.name for column in error_table(even).columns]


def test_published_errors_stand_beside_ours_and_are_marked():
    results = some(published=PUBLISHED)
    table = error_table(results)
    found = values(table)
    assert [row.label for row in table.rows] == ["two-hop", "unary-only", "two-hop", "constant"]
    assert found["two-hop, published: a paper, table 1", "walk"] == 50
    assert found["two-hop, published: a paper, table 1", "mean"] == 60
    assert found["two-hop, published: a paper, table 1", "mean of actions"] == 62.5
    assert values(published_table(results)) == {
        ("others, published: their paper", "mean"): 80,
        ("two-hop, published: a paper, table 1", "mean"): 60,
        **{
            (f"{method}, measured here{', baseline' if method == 'constant' else ''}", "mean"): results.mean(
                method
            )
            for method in results.methods
        },
    }


def test_errors_by_subject_and_camera():
    results = some(published=PUBLISHED)
    found = values(crossed_table(results, "subject", "camera"))
    errors, subject, camera = (
        results.of("two-hop"),
        results.splits["subject"].of,
        results.splits["camera"].of,
    )
    assert found["S2", "middle"] == pytest.approx(errors[(subject == 1) & (camera == 1)].mean())
    assert found["S2", "mean"] == pytest.approx(errors[subject == 1].mean())
    assert found["mean", "right"] == pytest.approx(errors[camera == 2].mean())
    assert found["mean", "mean"] == pytest.approx(errors.mean())
    assert found["S1, published: a paper, table 3", "left"] == 54
    assert found["S1, published: a paper, table 3", "middle"] is None
    assert found["S1, published: a paper, table 3", "mean"] == 55


def test_other_measures():
    results = some()
    found = values(metric_table(results))
    rooted = results.rooted[:, 1]
    assert found["two-hop", "MPJPE"] == pytest.approx(rooted.mean())
    assert found["two-hop", "PCK"] == pytest.approx(100 * (rooted <= 150).mean())
    area = np.mean([(rooted <= threshold).mean() for threshold in range(0, 151, 5)])
    assert found["two-hop", "AUC"] == pytest.approx(100 * area)


def test_visible_and_hidden_joints_and_parts():
    results = some()
    columns = [column.name for column in visibility_table(results).columns]
    assert columns == [
        name for joints in ("visible", "hidden") for name in (joints, "minus unary-only", "± over takes")
    ]
    row = visibility_table(results).rows[1]
    two_hop, unary = results.distances("two-hop"), results.distances("unary-only")
    assert row.cells[0].value == pytest.approx(two_hop[results.visible].mean())
    assert row.cells[3].value == pytest.approx(two_hop[~results.visible].mean())
    assert row.cells[4].value == pytest.approx((two_hop - unary)[~results.visible].mean())
    assert values(part_table(results))["hand", "two-hop"] == pytest.approx(two_hop[:, 1].mean())


def test_every_table_is_there_once():
    titles = [table.title for table in tables_of(some(published=PUBLISHED))]
    assert titles == [
        "Reconstruction error by action",
        "Reconstruction error beside published ones",
        "Reconstruction error of two-hop by subject and camera",
        "Other measures",
        "Visible and hidden joints",
        "Reconstruction error by part",
        "Inference",
    ]
    results = some()
    plain = attrs.evolve(results, splits={"take": results.splits["take"]})
    assert [table.title for table in tables_of(plain)][:2] == [
        "Reconstruction error by take",
        "Other measures",
    ]


def test_one_image_and_no_hidden_joint():
    one = some(count=1, visible=np.ones((1, 2), bool))
    for table in tables_of(one):
        to_markdown(table)
        json.dumps(to_json([table]), allow_nan=False)


def test_runs_are_compared_image_by_image():
    first, second = some(seed=0), some(seed=1)
    errors, seen, hidden, inference = comparison_tables({"before": first, "after": second})
    found = cells(errors)
    assert found["two-hop", "before"].value == pytest.approx(first.mean("two-hop"))
    assert found["two-hop", "after"].value == pytest.approx(second.mean("two-hop"))
    gain = second.of("two-hop") - first.of("two-hop")
    assert found["two-hop", "after minus before"].value == pytest.approx(gain.mean())
    assert found["two-hop", "after minus before"].uncertainty == pytest.approx(stats.sem(gain))
    assert found["constant, baseline", "after minus before"].value is None
    difference = second.distances("two-hop") - first.distances("two-hop")
    assert cells(seen)["two-hop", "after minus before"].value == pytest.approx(
        difference[first.visible].mean()
    )
    assert cells(hidden)["two-hop", "after minus before"].value == pytest.approx(
        difference[~first.visible].mean()
    )
    assert inference.rows[1].cells[2].value == pytest.approx(1000 * np.median(second.seconds[:, 1]))
    assert inference.rows[1].cells[3].value == pytest.approx(100 * second.certified[:, 1].mean())
    assert "spread" not in [column.name for column in errors.columns]


def test_three_seeds_have_a_mean_and_a_spread():
    runs = {f"seed {seed}": some(seed=seed) for seed in range(3)}
    found = values(comparison_tables(runs)[0])
    means = [run.mean("two-hop") for run in runs.values()]
    assert found["two-hop", "mean of runs"] == pytest.approx(np.mean(means))
    assert found["two-hop", "spread"] == pytest.approx(np.std(means, ddof=1))


def test_a_graph_that_only_one_run_has():
    fewer = attrs.evolve(
        some(),
        methods=("unary-only",),
        graphs=("unary-only",),
        aligned=some().aligned[:, :1],
        rooted=some().rooted[:, :1],
        seconds=some().seconds[:, :1],
        certified=some().certified[:, :1],
        gap=some().gap[:, :1],
    )
    found = values(comparison_tables({"a": some(), "b": fewer})[0])
    assert found["two-hop", "b"] is None
    assert found["two-hop", "b minus a"] is None
    assert found["unary-only", "b minus a"] == 0


def test_results_of_other_images_are_not_compared():
    with pytest.raises(
        ResultsError, match=r"other images cannot be compared: a is of 40 \(people, test\), b of 39"
    ):
        comparison_tables({"a": some(), "b": some(count=39)})


TABLE = Table(
    "Errors",
    ["walk", Column("time", "ms", 2), "text"],
    [
        Row("a | b", [Cell(1.25, 0.5, emphasis=True), -2.0, "x"], note="baseline"),
        Row("c", [None, float("nan"), None]),
    ],
    unit="mm",
    caption="Said below.",
)


def test_markdown():
    assert to_markdown(TABLE) == (
        "### Errors, mm\n\n"
        "|  | walk | time [ms] | text |\n"
        "|---|---:|---:|---:|\n"
        "| a \\| b *(baseline)* | **1.2 ± 0.5** | −2.00 | x |\n"
        "| c |  | – |  |\n\n"
        "Said below.\n"
    )


def test_csv_has_every_number_on_a_line():
    lines = list(csv.reader(io.StringIO(to_csv([TABLE]))))
    assert tuple(lines[0]) == CSV_FIELDS
    assert lines[1] == ["Errors", "a | b", "baseline", "walk", "mm", "1.25", "0.5"]
    assert lines[2] == ["Errors", "a | b", "baseline", "time", "ms", "-2.0", ""]
    assert lines[5] == ["Errors", "c", "", "time", "ms", "", ""]
    assert len(lines) == 7


def test_json():
    table = json.loads(json.dumps(to_json([TABLE]), allow_nan=False))[0]
    assert table["columns"][1] == {"name": "time", "unit": "ms"}
    assert table["columns"][0]["unit"] == "mm"
    assert table["rows"][0] == {
        "label": "a | b",
        "note": "baseline",
        "values": [1.25, -2.0, "x"],
        "uncertainties": [0.5, None, None],
    }
    assert table["rows"][1]["values"] == [None, None, None]
