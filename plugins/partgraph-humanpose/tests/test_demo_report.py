"""The demo of the shipped network, opened in a browser as a user would."""

import json

import pytest
from partgraph_humanpose.weights import human_medium_structured

from partgraph.cli import main

IMAGES = 10
SCRIPT = """
return {
    title: document.title,
    canvases: document.querySelectorAll("canvas").length,
    drawn: [...document.querySelectorAll("canvas")].filter((canvas) => Number(canvas.dataset.limbs) > 0).length,
    text: document.body.innerText,
};
"""


@pytest.mark.skipif(
    not human_medium_structured().is_dir(),
    reason="the weights of human-medium-structured are not in this checkout",
)
def test_the_demos_report_opens_without_errors_and_shows_the_numbers(browse, tmp_path, monkeypatch):
    monkeypatch.setenv("PARTGRAPH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(SystemExit) as end:
        main(["demo", "--count", str(IMAGES), "--out", str(tmp_path / "demo")])
    assert end.value.code == 0
    values = json.loads((tmp_path / "demo" / "results.json").read_text())
    found, console = browse(tmp_path / "demo" / "report.html", SCRIPT, tmp_path)
    assert console == []
    assert found["title"]
    assert found["canvases"] >= 10
    assert found["drawn"] >= 2  # those in view; the others follow when they are scrolled to
    for error in (*values["reconstruction_error_mm"].values(), *values["baselines_mm"].values()):
        assert f"{error:.1f}" in found["text"]
    for word in ("unary-only", "two-hop", "constant mean pose", "perfect target", "Worst", "Best"):
        assert word in found["text"]
