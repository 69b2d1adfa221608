import attrs
import numpy as np
import pytest

from partgraph.report import Pose, draw_overlay, draw_views, palette

COLOUR = np.array([0xD5, 0x5E, 0x00])


def near(picture, colour):
    """Where a picture has a colour, (H, W) bool."""
    return (np.abs(picture.astype(int) - colour) < 12).all(-1)


def test_a_small_crop_is_enlarged_and_a_photograph_reduced(bird, make_case):
    case = make_case()
    for shape, expected in (((100, 100), (640, 640)), ((50, 100), (320, 640)), ((2000, 1000), (640, 320))):
        picture = draw_overlay(np.zeros((*shape, 3), np.uint8), bird, case.poses, case.truth)
        assert (picture.shape, picture.dtype) == ((*expected, 3), np.uint8)


def test_limbs_lie_where_their_parts_are(bird, make_case):
    case = make_case()
    pose = Pose("alone", case.truth.positions)
    picture = draw_overlay(np.zeros((100, 100, 3), np.uint8), bird, [pose], size=400)
    rows, columns = np.nonzero(near(picture, COLOUR))
    assert columns.min() >= 4 * 50 - 4, "the left wing is fainter"
    assert columns.max() == pytest.approx(4 * 85, abs=4)
    assert (rows.min(), rows.max()) == (pytest.approx(4 * 20, abs=4), pytest.approx(4 * 80, abs=4))
    fainter = near(picture, palette.fainter("#d55e00"))
    assert np.nonzero(fainter)[1].min() == pytest.approx(4 * 15, abs=4)


def test_limbs_of_unknown_parts_are_left_out(bird, make_case):
    positions = make_case().truth.positions.copy()
    positions[[0, 2, 3]] = np.nan
    picture = draw_overlay(np.zeros((100, 100, 3), np.uint8), bird, [Pose("alone", positions)], size=400)
    assert np.nonzero(near(picture, COLOUR))[0].min() == pytest.approx(4 * 45, abs=4)


def test_views_show_each_axis_where_it_belongs(bird):
    depth = np.zeros((5, 3))
    depth[:, 2] = [-40, -20, 0, 20, 40]
    picture = near(draw_views(bird, [Pose("alone", depth)], size=600), COLOUR)
    front, side, top = (np.nonzero(picture[:, 600 * view : 600 * (view + 1)]) for view in range(3))
    assert np.ptp(front[1]) < 10, "seen end on"
    assert np.ptp(front[0]) < 10, "seen end on"
    assert (np.ptp(side[1]) > 300, np.ptp(side[0]) < 10) == (True, True)
    assert (np.ptp(top[0]) > 300, np.ptp(top[1]) < 10) == (True, True)


def test_pictures_refuse_what_does_not_fit(bird, make_case):
    case = make_case()
    with pytest.raises(
        ValueError, match=r"image is uint8 of shape \(4, 4\); expected uint8 of shape \(H, W, 3\)"
    ):
        draw_overlay(np.zeros((4, 4), np.uint8), bird, case.poses)
    with pytest.raises(ValueError, match="'alone' has 1 parts, the skeleton 5; give every part a row"):
        draw_overlay(case.image, bird, [Pose("alone", np.zeros((1, 3)))])
    with pytest.raises(ValueError, match="at most 5 can be told apart"):
        draw_overlay(case.image, bird, [attrs.evolve(case.truth, name=str(index)) for index in range(6)])
    for poses in ([], make_case(dimensions=2).poses, [Pose("lost", np.full((5, 3), np.nan))]):
        with pytest.raises(ValueError, match=r"all poses with \(N, 3\) positions"):
            draw_views(bird, poses)
