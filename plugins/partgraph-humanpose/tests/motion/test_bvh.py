import numpy as np
import pytest
from partgraph_humanpose.motion import MotionError, read_bvh
from partgraph_humanpose.motion.bvh import read_bvh_take
from scipy.spatial.transform import Rotation

AXES = {"X": np.array([1.0, 0, 0]), "Y": np.array([0, 1.0, 0]), "Z": np.array([0, 0, 1.0])}


def walk(figure, frames, positions, frame, joint):
    """Turn and place of a joint, one rotation at a time."""
    parent, offset = figure.joints[joint]
    turn, place = (Rotation.identity(), np.array(positions[frame], dtype=float))
    if parent:
        turn, above = walk(figure, frames, positions, frame, parent)
        place = above + turn.apply(offset)
    letters = [channel[0] for channel in figure.rotations.split()]
    for letter, angle in zip(letters, frames[frame].get(joint, (0, 0, 0)), strict=True):
        turn = turn * Rotation.from_rotvec(np.deg2rad(angle) * AXES[letter])
    return turn, place


@pytest.mark.parametrize("order", ["ZXY", "XYZ", "YZX", "ZYX"])
def test_forward_kinematics(figure, write, order):
    person = figure(rotations=" ".join(f"{letter}rotation" for letter in order))
    random = np.random.default_rng(0)
    frames = [{name: random.uniform(-180, 180, 3) for name in person.joints} for _ in range(3)]
    positions = random.normal(size=(3, 3))
    take = read_bvh_take(write("a.bvh", person.text(frames, positions)))
    assert take.rate == pytest.approx(20)
    turns, places = take.skeleton.forward(take.rotations, take.position)
    for frame in range(3):
        for joint in person.joints:
            turn, place = walk(person, frames, positions, frame, joint)
            index = take.skeleton.names.index(joint)
            np.testing.assert_allclose(turns[frame, index], turn.as_matrix(), atol=1e-9)
            np.testing.assert_allclose(places[frame, index], place, atol=1e-9)


SMALL = """HIERARCHY
ROOT Hip Bone {
  OFFSET 1 2 3
  CHANNELS 4 Yrotation Xposition Zrotation Zposition
  JOINT Tail
  {
    OFFSET 0 0 5
    CHANNELS 1 Xrotation
    End Site
    { OFFSET 0 0 1 }
  }
}
MOTION
Frames:	2
Frame Time: .01
90 10 0 30 0
0 10 90 30 90
"""


def test_channels_in_any_number_and_order(write):
    take = read_bvh_take(write("a.bvh", SMALL))
    assert take.skeleton.names == ("Hip Bone", "Tail", "Tail end")
    np.testing.assert_array_equal(take.position, [[10, 2, 30], [10, 2, 30]])  # y is the offset's
    _, places = take.skeleton.forward(take.rotations, take.position)
    np.testing.assert_allclose(places[0, 1:], [[15, 2, 30], [16, 2, 30]], atol=1e-12)
    np.testing.assert_allclose(places[1, 1:], [[10, 2, 35], [11, 2, 35]], atol=1e-12)


def test_bones_keep_their_length(write):
    text = SMALL.replace("1 Xrotation", "4 Xposition Yposition Zposition Xrotation")
    take = read_bvh_take(
        write(
            "a.bvh",
            text.replace("90 10 0 30 0", "90 10 0 30 7 8 9 0").replace(
                "0 10 90 30 90", "0 10 90 30 7 8 9 90"
            ),
        )
    )
    np.testing.assert_array_equal(take.position, [[10, 2, 30], [10, 2, 30]])
    _, places = take.skeleton.forward(take.rotations, take.position)
    np.testing.assert_allclose(places[0, 1:], [[15, 2, 30], [16, 2, 30]], atol=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("HIERARCHY\n", "", 1, "found 'ROOT' for HIERARCHY"),
        ("ROOT Hip Bone {", "ROOT {", 2, "every joint has a name of its own; found 'none'"),
        ("JOINT Tail", "JOINT Hip Bone", 5, "name of its own; found 'Hip Bone'"),
        ("JOINT Tail\n  {", "JOINT Tail\n", 7, "joint 'Tail' opens with a brace; found 'OFFSET 0 0 5'"),
        ("OFFSET 0 0 5", "OFFSET 0 0", 7, "OFFSET must be 3 numbers; found 2"),
        ("OFFSET 0 0 5", "OFFSET 0 0 5 6", 7, "OFFSET must be 3 numbers; found 4"),
        ("OFFSET 0 0 5", "OFFSET 0 0 x", 7, "OFFSET must be finite numbers; found 'x'"),
        ("OFFSET 0 0 5\n", "\n", 11, "joint 'Tail' must have an OFFSET"),
        ("CHANNELS 1 X", "CHANNELS 2 X", 8, "CHANNELS must be a count .* found '2 Xrotation'"),
        ("CHANNELS 1 Xrotation", "CHANNELS 1 Xrot", 8, "found '1 Xrot'"),
        ("CHANNELS 1 Xrotation", "CHANNELS 2 Xrotation Xrotation", 8, "CHANNELS must be"),
        ("CHANNELS 1", "CHANEL 1", 8, "joint 'Tail' has OFFSET, CHANNELS and JOINTs; found CHANEL"),
        ("\n}\nMOTION", "\nMOTION", 12, "found MOTION; close it with a brace"),
        ("MOTION", "ROOT", 13, "found 'ROOT' for MOTION"),
        ("Frames:\t2", "Frames:\t3", 14, "Frames: must be the number of rows; found 3 and 2 rows"),
        ("Frames:\t2", "Farmes: 2", 14, "MOTION goes on with Frames:; found 'Farmes:'"),
        ("Frame Time: .01", "Frame Time: 0", 15, "must be positive seconds; found 0"),
        ("Frame Time: .01", "Frame Time:", 15, "Frame Time: must be 1 number; found 0"),
        ("0 10 90 30 90", "0 10 90 30", 17, "the channels of a frame must be 5 numbers; found 4"),
        ("0 10 90 30 90", "0 10 nan 30 90", 17, "must be finite numbers; found 'nan'"),
    ],
)
def test_malformed_files(write, old, new, line, message):
    assert SMALL.count(old) == 1
    with pytest.raises(MotionError, match=rf"a\.bvh:{line}: .*{message}"):
        read_bvh_take(write("a.bvh", SMALL.replace(old, new)))


@pytest.mark.parametrize("words", range(1, 43))
def test_files_cut_short(write, words):
    cut = " ".join(SMALL.split(" ")[:words])
    if cut != SMALL:
        with pytest.raises(MotionError, match=r"a\.bvh:\d+: .*; found .*; .*"):
            read_bvh_take(write("a.bvh", cut))


def test_missing_and_empty_files(tmp_path, write):
    with pytest.raises(MotionError, match=r"none\.bvh: .*found No such file"):
        read_bvh(tmp_path / "none.bvh")
    with pytest.raises(MotionError, match=r"a\.bvh: .*found nothing in it"):
        read_bvh(write("a.bvh", "\n \n"))
