import attrs
import numpy as np
import pytest

from partgraph.report import Case, Group, Pose, Row, Skeleton, Table
from partgraph.report.tables import format_number

IMAGE = np.zeros((4, 4, 3), np.uint8)


def test_a_limb_takes_the_side_of_its_parts(bird):
    assert bird.limb_sides() == ("center", "left", "right", "center")
    assert Skeleton(["a", "b"], [(0, 1)], ["left", "right"]).limb_sides() == ("center",)
    assert Skeleton(["a", "b"], [(0, 1)]).sides == ("center", "center")


@pytest.mark.parametrize(
    ("limbs", "sides", "message"),
    [
        (
            [(0, 2)],
            ["center"] * 2,
            r"limb \(0, 2\) does not join two of the 2 parts; use two different indices",
        ),
        ([(1, 1)], ["center"] * 2, r"limb \(1, 1\) does not join"),
        ([(-1, 1)], ["center"] * 2, r"limb \(-1, 1\) does not join"),
        ([(0, 1, 1)], ["center"] * 2, r"limb \(0, 1, 1\) has 3 parts; a limb joins two"),
        ([(0, 1)], ["left"], "1 sides for 2 parts; give one side per part"),
        ([(0, 1)], ["left", "up"], "part 'b' has side 'up'; use one of left, right, center"),
    ],
)
def test_a_broken_skeleton_is_refused(limbs, sides, message):
    with pytest.raises(ValueError, match=message):
        Skeleton(["a", "b"], limbs, sides)


@pytest.mark.parametrize("shape", [(3,), (3, 4), (2, 3, 3)])
def test_positions_have_one_row_per_part(shape):
    with pytest.raises(
        ValueError, match=r"Pose 'alone': positions have shape .* expected \(N, 2\) or \(N, 3\)"
    ):
        Pose("alone", np.zeros(shape))


def test_an_unknown_position_is_nan_and_never_infinite():
    assert np.isnan(Pose("alone", [[np.nan, np.nan]]).positions).all()
    with pytest.raises(ValueError, match="a position is infinite; use NaN"):
        Pose("alone", [[np.inf, 0]])


def test_a_pose_keeps_its_own_read_only_copy():
    positions = np.zeros((2, 2))
    pose = Pose("alone", positions)
    positions[:] = 1
    assert not pose.positions.any()
    assert not pose.positions.flags.writeable


@pytest.mark.parametrize(
    ("image", "poses", "message"),
    [
        (
            IMAGE / 1.0,
            [Pose("a", np.zeros((2, 2)))],
            r"image is float64 of shape \(4, 4, 3\); expected uint8",
        ),
        (IMAGE[..., 0], [Pose("a", np.zeros((2, 2)))], r"image is uint8 of shape \(4, 4\)"),
        (IMAGE[:0], [Pose("a", np.zeros((2, 2)))], "image is uint8"),
        (IMAGE, [], "neither poses nor truth"),
        (IMAGE, [Pose("a", np.zeros((2, 2)))] * 2, "poses of the same name: a, a"),
        (IMAGE, [Pose("a", np.zeros((2, 2))), Pose("b", np.zeros((2, 3)))], "mixes poses of shapes"),
    ],
)
def test_a_broken_case_is_refused(image, poses, message):
    with pytest.raises(ValueError, match=message):
        Case("a bird", image, poses)


def test_a_row_has_one_cell_per_column():
    with pytest.raises(ValueError, match="row 'alone' has 1 cells for 2 columns; give one cell per column"):
        Table("Errors", ["a", "b"], [Row("alone", [1.0])])


def test_a_report_is_of_one_skeleton_and_dimension(make_report, make_case):
    with pytest.raises(ValueError, match="'bird 0' has poses of 5 parts, the skeleton has 2"):
        make_report(skeleton=Skeleton(["a", "b"], [(0, 1)]))
    with pytest.raises(ValueError, match="'flat' has 2D poses, the first case 3D"):
        make_report([make_case(), make_case("flat", dimensions=2)])


def test_names_in_a_report_are_clear(make_report, make_case):
    case = make_case()
    with pytest.raises(ValueError, match=r"no pose is called best; `shown` may name truth, alone, together"):
        make_report(shown=["best"])
    with pytest.raises(ValueError, match="truth is called alone, truth; use one name for it"):
        make_report([case, attrs.evolve(case, poses=[], truth=Pose("alone", case.truth.positions))])
    many = [Pose(f"pose {index}", case.truth.positions) for index in range(6)]
    with pytest.raises(ValueError, match=r"6 kinds of poses .* at most 5 can be told apart"):
        make_report([attrs.evolve(case, poses=many)])


def test_the_poses_shown_first_get_the_colours_told_apart_best(make_report):
    assert make_report().colours == {"truth": 0, "alone": 1, "together": 2}
    assert make_report(shown=["together"]).colours == {"truth": 0, "together": 1, "alone": 2}


def test_a_report_may_have_no_cases(make_report):
    report = make_report(groups=[Group("None", [])])
    assert (report.cases, report.pose_names, report.truth_name, report.dimensions) == ((), (), None, 3)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(31.64, 1, "31.6"), (-1234.5, 1, "\u22121\u2009234.5"), (0.5, 0, "0"), (None, 1, "–"), (np.nan, 2, "–")],
)
def test_numbers_are_written_for_readers(value, decimals, text):
    assert format_number(value, decimals) == text
