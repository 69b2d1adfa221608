"""The paper's figures as SVG: well-formed, in the right places, and what is farther is drawn first."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("PIL")

from partgraph.report import Pose, Skeleton
from partgraph.report.figures import Voxels, comparison_figure, views_figure, voxel_figure
from partgraph.report.figures.canvas import Canvas
from partgraph.report.figures.view import View

SVG = "{http://www.w3.org/2000/svg}"
SIDE = 32
SKELETON = Skeleton(("head", "left-hand", "right-hand"), ((0, 1), (0, 2)), ("center", "left", "right"))
IMAGE = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8)


def pose(name, seed, error=None):
    return Pose(name, np.random.default_rng(seed).uniform(4, 28, (3, 3)) - (0, 0, 16), error)


def parsed(svg):
    return ElementTree.fromstring(svg)


def texts(svg):
    return [node.text for node in parsed(svg).iter(f"{SVG}text")]


def test_a_view_from_the_front_shows_x_and_y():
    view = View(0, 0, 2.0, (10, 20, 30), (100, 200))
    np.testing.assert_allclose(view([[10, 20, 30], [11, 22, 99]]), [[100, 200], [102, 204]])
    np.testing.assert_allclose(view.depth([[10, 20, 30], [0, 0, 35]]), [0, 5])


def test_a_view_from_the_side_and_from_above():
    side = View(90, 0, 1.0, (0, 0, 0), (0, 0))
    np.testing.assert_allclose(side([[0, 0, 5], [3, 1, 0]]), [[5, 0], [0, 1]], atol=1e-12)
    np.testing.assert_allclose(side.depth([3, 0, 0]), -3)  # the scene's right is in front
    above = View(0, 90, 1.0, (0, 0, 0), (0, 0))
    np.testing.assert_allclose(above([[2, 7, 5]]), [[2, -5]], atol=1e-12)  # what is far is up
    np.testing.assert_allclose(above.depth([0, -7, 0]), -7)  # and what is high is near


def test_a_picture_is_spread_between_its_corners():
    canvas = Canvas(50, 50)
    canvas.picture(IMAGE, [(10, 5), (30, 15), (10, 45)])
    (image,) = parsed(canvas.svg()).iter(f"{SVG}image")
    a, b, c, d, e, f = (float(value) for value in re.findall(r"-?[\d.]+", image.get("transform")))
    width, height = float(image.get("width")), float(image.get("height"))
    assert (e, f) == (10, 5)
    assert (a * width + e, b * width + f) == pytest.approx((30, 15), abs=0.01)
    assert (c * height + e, d * height + f) == pytest.approx((10, 45), abs=0.01)


def test_text_is_escaped():
    canvas = Canvas(10, 10)
    canvas.text((0, 0), "a < b & c")
    assert texts(canvas.svg()) == ["a < b & c"]


def test_short_arrows_are_left_out():
    canvas = Canvas(10, 10)
    canvas.arrow((1, 1), (1.2, 1), "#000000")
    assert len(parsed(canvas.svg())) == 1
    canvas.arrow((1, 1), (9, 1), "#000000")
    assert len(parsed(canvas.svg())) == 3


def voxels(part, scores, shift=2.0):
    at = (np.arange(4) + 0.5) * 8
    centers = np.stack(np.meshgrid(at, at, at - 16, indexing="ij"), -1).reshape(-1, 3)
    return Voxels(part, centers, centers + shift, np.asarray(scores, np.float64))


def test_likely_voxels_are_those_near_the_best_score():
    own = voxels("head", np.log(np.r_[0.5, 0.4, 0.01, 0.09, np.full(60, 1e-9)]))
    order, relative = own.likely()
    assert order.tolist() == [0, 1, 3]
    np.testing.assert_allclose(relative, [1, 0.8, 0.18])
    assert own.likely(2)[0].tolist() == [0, 1]


def test_voxels_and_residuals():
    random = np.random.default_rng(1)
    parts = [voxels(part, random.normal(0, 3, 64)) for part in SKELETON.parts]
    svg = voxel_figure(IMAGE, parts, ["left-hand"], truth=np.full((3, 3), 12.0))
    figure = parsed(svg)
    assert len(list(figure.iter(f"{SVG}image"))) == 2
    drawn = len(parts[1].likely()[0])
    arrows = drawn + sum(len(own.likely(8)[0]) for own in parts)
    # Three faces of each voxel, the head of each arrow, one square in the legend.
    assert len(list(figure.iter(f"{SVG}polygon"))) == 3 * drawn + arrows + 1
    assert len(list(figure.iter(f"{SVG}circle"))) == 1 + 3
    assert texts(svg)[0] == "left-hand"
    assert "the truth" not in texts(voxel_figure(IMAGE, parts, ["head"]))[-1]


def test_without_residuals_there_are_no_arrows():
    own = [voxels(part, np.r_[1.0, np.full(63, -99.0)], shift=0.0) for part in SKELETON.parts]
    assert len(list(parsed(voxel_figure(IMAGE, own, ["head"])).iter(f"{SVG}polygon"))) == 3 + 1


def test_methods_against_the_truth():
    poses = [pose("unary-only", 1, 81.2), pose("two-hop, exact", 2, 40.7)]
    svg = comparison_figure(IMAGE, SKELETON, poses, pose("truth", 3))
    assert texts(svg) == ["truth; below: two-hop, exact", "unary-only, 81 mm", "two-hop, exact, 41 mm"]
    assert len(list(parsed(svg).iter(f"{SVG}image"))) == 2
    comparison_figure(IMAGE, SKELETON, poses, None)
    parsed(comparison_figure(IMAGE, SKELETON, poses[:1], None))


def test_poses_are_aligned_to_the_truth():
    """A pose that is turned, moved and scaled covers the truth: lines of both end in the same points."""
    truth = pose("truth", 3)
    turned = truth.positions[:, [2, 0, 1]] * 3 + 7  # a rotation: an even permutation of the axes
    svg = comparison_figure(IMAGE, SKELETON, [Pose("found", turned)], truth)
    ends = {}
    for line in parsed(svg).iter(f"{SVG}polyline"):
        ends.setdefault(line.get("stroke"), set()).add(line.get("points"))
    assert len(ends["#d55e00"] & ends["#868f96"]) == 4  # two limbs, in two views


def test_views():
    svg = views_figure(IMAGE, SKELETON, [pose("two-hop", 1)])
    assert texts(svg) == ["two-hop", "turned by −50°", "turned by 50°", "turned by 130°"]
    strokes = {line.get("stroke") for line in parsed(svg).iter(f"{SVG}polyline")}
    assert {"#d55e00", "#0072b2"} <= strokes  # left and right
