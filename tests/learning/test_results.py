"""Means, paired differences and what is written of them, against NumPy and SciPy by hand."""

import json

import numpy as np
import pytest
from scipy import stats

from partgraph.learning.results import Results

METHODS = ("alone", "star", "two-hop", "constant")
GRAPHS = METHODS[:3]


def some(count=40, groups=("walk", "kick", "rest"), seed=0):
    random = np.random.default_rng(seed)
    own = random.normal(100, 30, (count, 1))
    return Results(
        methods=METHODS,
        groups=groups,
        errors=own + random.normal([0, -5, -8, 20], 6, (count, 4)),
        group=random.integers(0, 2, count),
        graphs=GRAPHS,
        seconds=random.exponential(0.01, (count, 3)),
        certified=random.random((count, 3)) < [1.0, 0.5, 0.0],
        gap=random.exponential(1.0, (count, 3)),
    )


def test_means():
    results = some()
    assert results.mean("star") == pytest.approx(results.errors[:, 1].mean())
    walk = [e for e, g in zip(results.errors[:, 2], results.group, strict=True) if g == 0]
    assert results.mean("two-hop", "walk") == pytest.approx(sum(walk) / len(walk))
    assert np.isnan(results.mean("two-hop", "rest"))
    np.testing.assert_array_equal(results.of("constant"), results.errors[:, 3])


@pytest.mark.parametrize("method", ["star", "two-hop", "constant"])
def test_difference_is_the_paired_one(method):
    results = some()
    mean, error = results.difference(method, "alone")
    paired = results.of(method) - results.of("alone")
    assert mean == pytest.approx(paired.mean())
    assert error == pytest.approx(stats.sem(paired))
    t = stats.ttest_rel(results.of(method), results.of("alone"))
    assert mean / error == pytest.approx(t.statistic)


def test_pairing_matters():
    results = some()
    _, paired = results.difference("star", "alone")
    apart = np.hypot(stats.sem(results.of("star")), stats.sem(results.of("alone")))
    assert paired < 0.5 * apart


def test_difference_of_a_method_with_itself_is_nothing():
    assert some().difference("star", "star") == (0.0, 0.0)


def test_difference_of_one_image_has_no_uncertainty():
    mean, error = some(1).difference("star", "alone")
    assert np.isfinite(mean)
    assert np.isnan(error)


def test_json_says_what_the_methods_say():
    results = some()
    values = results.to_json()
    assert values["images"] == 40
    assert values["reconstruction_error_mm"] == {graph: results.mean(graph) for graph in GRAPHS}
    assert values["baselines_mm"] == {"constant": results.mean("constant")}
    assert list(values["per_group_mm"]) == ["walk", "kick", "rest"]
    assert values["per_group_mm"]["kick"]["constant"] == results.mean("constant", "kick")
    mean, error = results.difference("two-hop", "alone")
    assert values["minus_alone_mm"]["two-hop"] == {"mean": mean, "standard_error": error}
    assert set(values["minus_alone_mm"]) == {"star", "two-hop"}
    assert values["certified_share"]["alone"] == 1.0
    assert values["certified_share"]["two-hop"] == 0.0
    assert values["mean_gap"]["star"] == pytest.approx(results.gap[:, 1].mean())
    times = values["solver_milliseconds"]["star"]
    assert times["median"] == pytest.approx(1000 * np.median(results.seconds[:, 1]))
    assert times["p90"] == pytest.approx(1000 * np.quantile(results.seconds[:, 1], 0.9))


@pytest.mark.parametrize("count", [1, 2, 40])
def test_json_is_strict_json_even_where_there_is_no_number(count):
    results = some(count)
    text = json.dumps(results.to_json(), allow_nan=False)
    assert json.loads(text)["per_group_mm"]["rest"]["alone"] is None


def test_an_infinite_gap_is_no_number():
    results = some()
    results.gap[0, 1] = np.inf
    assert results.to_json()["mean_gap"]["star"] is None
