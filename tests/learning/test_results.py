"""Means, paired differences, files and what is written of them, against NumPy and SciPy by hand."""

import json

import attrs
import numpy as np
import pytest
from scipy import stats

from partgraph.learning.dataset import Published
from partgraph.learning.results import Results, Split
from partgraph.learning.results_file import ERRORS, ResultsError, load_results, save_results
from partgraph.learning.uncertainty import estimate

METHODS = ("alone", "star", "two-hop", "constant")
GRAPHS = METHODS[:3]
PARTS = ("head", "hand", "foot")


def some(count=40, groups=("walk", "kick", "rest"), seed=0):
    random = np.random.default_rng(seed)
    own = random.normal(100, 30, (count, 1, 1))
    aligned = np.abs(own + random.normal([[0], [-5], [-8], [20]], 6, (count, 4, 3)))
    return Results(
        methods=METHODS,
        graphs=GRAPHS,
        parts=PARTS,
        aligned=aligned,
        rooted=aligned * random.uniform(1, 2, (count, 4, 3)),
        visible=random.random((count, 3)) < 0.7,
        splits={
            "clip": Split(groups, random.integers(0, 2, count)),
            "camera": Split(("left", "right"), random.integers(0, 2, count)),
            "take": Split(tuple("abcdefghij"), random.integers(0, 10, count)),
        },
        clips="take",
        seconds=random.exponential(0.01, (count, 3)),
        certified=random.random((count, 3)) < [1.0, 0.5, 0.0],
        gap=random.exponential(1.0, (count, 3)),
        pictures="0123",
        published=(Published("others", "a paper", {"": 80.0, "walk": 70.5}),),
        about={"data": "some, test"},
    )


def test_means():
    results = some()
    assert results.mean("star") == pytest.approx(results.aligned[:, 1].mean())
    walk = [e for e, g in zip(results.aligned[:, 2], results.splits["clip"].of, strict=True) if g == 0]
    assert results.mean("two-hop", results.within("clip", "walk")) == pytest.approx(np.mean(walk))
    assert np.isnan(results.mean("two-hop", results.within("clip", "rest")))
    np.testing.assert_allclose(results.of("constant"), results.aligned[:, 3].mean(1))


def test_visible_and_hidden_joints():
    results = some()
    seen = [e for e, v in zip(results.aligned[:, 1].ravel(), results.visible.ravel(), strict=True) if v]
    hidden = [e for e, v in zip(results.aligned[:, 1].ravel(), results.visible.ravel(), strict=True) if not v]
    assert results.mean("star", joints="visible") == pytest.approx(np.mean(seen))
    assert results.mean("star", joints="hidden") == pytest.approx(np.mean(hidden))
    gain = results.difference("star", "alone", "hidden")
    assert gain.mean == pytest.approx(
        results.mean("star", joints="hidden") - results.mean("alone", joints="hidden")
    )


@pytest.mark.parametrize("method", ["star", "two-hop", "constant"])
def test_difference_is_the_paired_one(method):
    results = some()
    found = results.difference(method, "alone")
    paired = results.of(method) - results.of("alone")
    assert found.mean == pytest.approx(paired.mean())
    assert found.error == pytest.approx(stats.sem(paired))
    t = stats.ttest_rel(results.of(method), results.of("alone"))
    assert found.mean / found.error == pytest.approx(t.statistic)


def test_pairing_matters():
    results = some()
    paired = results.difference("star", "alone").error
    apart = np.hypot(stats.sem(results.of("star")), stats.sem(results.of("alone")))
    assert paired < 0.5 * apart


def test_difference_of_a_method_with_itself_is_nothing():
    assert some().difference("star", "star") == estimate(np.zeros(4), [0, 0, 1, 1])


def test_difference_of_one_image_has_no_uncertainty():
    found = some(1).difference("star", "alone")
    assert np.isfinite(found.mean)
    assert np.isnan(found.error)
    assert np.isnan(found.clip_error)


def test_error_over_clips_of_one_size_is_that_of_their_means():
    random = np.random.default_rng(1)
    clip = np.repeat(np.arange(12), 5)
    difference = random.normal(0, 2, 12)[clip] + random.normal(0, 1, 60)
    found = estimate(difference, clip)
    assert found.clip_error == pytest.approx(stats.sem(difference.reshape(12, 5).mean(1)))
    assert found.clip_error > 1.5 * found.error


@pytest.mark.parametrize("weighted", [False, True])
def test_error_over_clips_is_that_of_the_bootstrap_over_clips(weighted):
    """Clips of all sizes, drawn again and again as a whole; with and without weights."""
    random = np.random.default_rng(2)
    clip = np.repeat(np.arange(60), random.integers(1, 20, 60))
    weight = random.integers(0, 6, len(clip)) if weighted else np.ones(len(clip), int)
    difference = (random.normal(-1, 2, 60)[clip] + random.normal(0, 1, len(clip))) * weight
    found = estimate(difference, clip, weight if weighted else None)
    totals, weights = np.bincount(clip, difference), np.bincount(clip, weight)
    drawn = random.integers(0, 60, (4000, 60))
    means = totals[drawn].sum(1) / weights[drawn].sum(1)
    assert found.mean == pytest.approx(difference.sum() / weight.sum())
    assert found.clip_error == pytest.approx(means.std(), rel=0.08)


def test_json_says_what_the_methods_say():
    results = some()
    values = results.to_json()
    assert values["images"] == 40
    assert values["reconstruction_error_mm"] == {graph: results.mean(graph) for graph in GRAPHS}
    assert values["baselines_mm"] == {"constant": results.mean("constant")}
    assert list(values["per_group_mm"]) == ["walk", "kick", "rest"]
    assert values["per_group_mm"]["kick"]["constant"] == results.mean(
        "constant", results.within("clip", "kick")
    )
    found = results.difference("two-hop", "alone")
    assert values["minus_alone_mm"]["two-hop"] == {
        "mean": found.mean,
        "standard_error": found.error,
        "standard_error_over_takes": found.clip_error,
    }
    assert set(values["minus_alone_mm"]) == {"star", "two-hop"}
    assert values["hidden_joints_mm"]["star"] == results.mean("star", joints="hidden")
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


def test_a_file_gives_the_results_back(tmp_path):
    results = some()
    assert save_results(results, tmp_path) == tmp_path / ERRORS
    assert [path.name for path in tmp_path.iterdir()] == [ERRORS]
    for path in (tmp_path, tmp_path / ERRORS):
        again = load_results(path)
        for field in attrs.fields(Results):
            one, other = getattr(results, field.name), getattr(again, field.name)
            if field.name == "splits":
                assert {name: split.values for name, split in one.items()} == {
                    name: split.values for name, split in other.items()
                }
                for name, split in one.items():
                    np.testing.assert_array_equal(split.of, other[name].of)
            elif isinstance(one, np.ndarray):
                np.testing.assert_allclose(other, one, rtol=1e-6)
            else:
                assert other == one


def test_a_file_holds_no_pickles(tmp_path):
    save_results(some(), tmp_path)
    with np.load(tmp_path / ERRORS, allow_pickle=False) as file:
        assert str(file["format"]) == "partgraph-errors-1"
        assert all(file[name].dtype != object for name in file.files)


def test_what_is_no_file_of_results_is_refused(tmp_path):
    with pytest.raises(
        ResultsError, match="no such file; give a folder that `partgraph evaluate --out` wrote"
    ):
        load_results(tmp_path)
    (tmp_path / ERRORS).write_bytes(b"nothing")
    with pytest.raises(ResultsError, match="cannot be read as results"):
        load_results(tmp_path)
    np.savez(tmp_path / ERRORS, format="partgraph-problem-1")
    with pytest.raises(ResultsError, match="partgraph-problem-1 is not partgraph-errors-1"):
        load_results(tmp_path)
    np.savez(tmp_path / ERRORS, format="partgraph-errors-1")
    with pytest.raises(ResultsError, match="incomplete results"):
        load_results(tmp_path)
    save_results(some(), tmp_path)
    (tmp_path / ERRORS).write_bytes((tmp_path / ERRORS).read_bytes()[:-200])
    with pytest.raises(ResultsError, match="cannot be read as results"):
        load_results(tmp_path)
