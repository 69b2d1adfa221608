"""The data set `lsp`: the flags of LSP and of its extension mean the opposite of each other."""

import numpy as np
import pytest
from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.lsp import Lsp
from partgraph_humanpose.skeleton import PARTS
from PIL import Image
from scipy.io import savemat

from partgraph import plugins
from partgraph.testing import checks_for

NAMES = (
    *("right-ankle", "right-knee", "right-hip", "left-hip", "left-knee", "left-ankle"),
    *("right-wrist", "right-elbow", "right-shoulder", "left-shoulder", "left-elbow", "left-wrist"),
    *("neck", "head-top"),
)
SIZE = 32


def write(folder, extended, count, pictures=3):
    """LSP as (3, 14, n) with 1 for hidden, its extension as (14, 3, n) with 1 for visible."""
    random = np.random.default_rng(0)
    places = random.uniform(20, 90, (count, 14, 2))
    marked = random.random((count, 14)) < 0.3
    numbers = np.concatenate([places, (~marked if extended else marked)[..., None]], -1)
    savemat(
        folder / "joints.mat",
        {"joints": numbers.transpose(1, 2, 0) if extended else numbers.transpose(2, 1, 0)},
    )
    (folder / "images").mkdir()
    digits = 5 if extended else 4
    y, x = np.mgrid[:110, :120]
    for number in range(1, pictures + 1):
        picture = np.stack([x, y, x * 0 + number], -1).astype(np.uint8)
        Image.fromarray(picture).save(
            folder / "images" / f"im{number:0{digits}d}.jpg", quality=95, subsampling=0
        )
    return places, marked


def test_it_is_registered():
    assert plugins.get("dataset", "lsp") is Lsp


def test_joints_of_lsp_are_known_where_hidden(tmp_path):
    places, hidden = write(tmp_path, False, 5)
    data = Lsp(tmp_path, size=SIZE)
    assert len(data) == 5
    for k in range(3):
        sample = data[k]
        low, high = places[k].min(0), places[k].max(0)
        side = (high - low).max() * 1.25
        for own, name in enumerate(NAMES):
            part = PARTS.index(name)
            expected = (places[k, own] - (low + high) / 2) * SIZE / side + SIZE / 2
            np.testing.assert_allclose(sample.target[part, :2], expected, atol=1e-4)
            assert sample.visible[part] != hidden[k, own]
        for name in ("pelvis", "thorax"):
            assert np.isnan(sample.target[PARTS.index(name)]).all()
            assert not sample.visible[PARTS.index(name)]
        assert np.isnan(sample.target[:, 2]).all()
        assert abs(sample.image[..., 2].mean() - (k + 1)) < 2, "the picture of the same number"


def test_joints_of_the_extension_are_known_where_visible(tmp_path):
    _, unmarked = write(tmp_path, True, 4)
    data = Lsp(tmp_path, size=SIZE)
    for k in range(3):
        for own, name in enumerate(NAMES):
            known = np.isfinite(data[k].target[PARTS.index(name), :2]).all()
            assert known == data[k].visible[PARTS.index(name)] == (not unmarked[k, own])


def test_the_first_thousand_train(tmp_path):
    write(tmp_path, False, 1003)
    assert len(Lsp(tmp_path)) == 1000
    assert len(Lsp(tmp_path, "test")) == 3
    assert Lsp(tmp_path, "train", count=4).group(0) == "lsp"


def test_the_extension_has_no_test_pictures(tmp_path):
    write(tmp_path, True, 4)
    assert len(Lsp(tmp_path)) == 4
    with pytest.raises(DataError, match="test pictures; found the extension of LSP, which has none"):
        len(Lsp(tmp_path, "test"))


def test_an_inventory(tmp_path):
    _, hidden = write(tmp_path, False, 5)
    found = Lsp.inspect(tmp_path)
    assert found.contents["people"] == 5
    assert found.contents["joints"] == 70
    assert found.contents["visible joints"] == 70 - hidden.sum()
    assert found.problems == (f"no file for 2 of 5 pictures, as {tmp_path / 'images' / 'im0004.jpg'}",)
    assert Lsp.inspect(tmp_path / "images") is None


def test_other_shapes_are_refused(tmp_path):
    savemat(tmp_path / "joints.mat", {"joints": np.zeros((16, 3, 5))})
    with pytest.raises(
        DataError, match=r"shape \(3, 14, n\), LSP, or \(14, 3, n\), its extension; found \(16, 3, 5\)"
    ):
        len(Lsp(tmp_path))
    assert Lsp.inspect(tmp_path).problems
    with pytest.raises(DataError, match=r"LSP's joints\.mat; found none"):
        len(Lsp(tmp_path / "nowhere"))


def test_conformance(tmp_path):
    write(tmp_path, False, 5, pictures=5)
    dataset = Lsp(tmp_path, size=SIZE)
    for check in checks_for(dataset):
        check(dataset)
