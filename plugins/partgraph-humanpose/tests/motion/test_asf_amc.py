import numpy as np
import pytest
from partgraph_humanpose.motion import MotionError, read_amc
from partgraph_humanpose.motion.asf_amc import read_amc_take, read_asf
from scipy.spatial.transform import Rotation

UNIT = 0.0254 / 0.45  # metres
AXES = {"x": np.array([1.0, 0, 0]), "y": np.array([0, 1.0, 0]), "z": np.array([0, 0, 1.0])}


def about_fixed_axes(letters, angles):
    turn = Rotation.identity()
    for letter, angle in zip(letters, angles, strict=True):
        turn = Rotation.from_rotvec(np.deg2rad(angle) * AXES[letter]) * turn
    return turn


def walk(actor, frame, bone):
    """Turn of a bone and the place of its far end in metres, one rotation at a time."""
    dof = actor.dof().get(bone, [])
    values = dict(zip(dof, frame.get(bone, [0.0] * len(dof)), strict=True))
    angles = {channel[1]: value for channel, value in values.items() if channel[0] == "r"}
    motion = about_fixed_axes(angles, angles.values())
    if bone == "root":
        return motion, UNIT * np.array([values["tx"], values["ty"], values["tz"]])
    parent, direction, length, axis, _ = actor.bones[bone]
    above, place = walk(actor, frame, parent)
    frame_of_axis = about_fixed_axes("xyz", axis)
    turn = above * frame_of_axis * motion * frame_of_axis.inv()
    return turn, place + turn.apply(direction) * length * UNIT


@pytest.mark.parametrize("order", ["TX TY TZ RX RY RZ", "TZ RY TX RZ RX TY"])
@pytest.mark.parametrize("angle", ["deg", "rad"])
def test_forward_kinematics(actor, write, order, angle):
    person = actor(order=order, angle=angle)
    frames = person.random_frames(3, seed=0)
    asf, amc = write("07.asf", person.asf()), write("07_01.amc", person.amc(frames))
    take = read_amc_take(amc, read_asf(asf))
    turns, places = take.skeleton.forward(take.rotations, take.position)
    for number, frame in enumerate(frames):
        if angle == "rad":
            frame = {bone: [*values] for bone, values in frame.items()}
            for bone, channels in person.dof().items():
                frame[bone] = [
                    value if channel[0] == "t" else np.rad2deg(value)
                    for channel, value in zip(channels, frame[bone], strict=True)
                ]
        for bone in person.bones:
            index = take.skeleton.names.index(bone)
            turn, end = walk(person, frame, bone)
            np.testing.assert_allclose(turns[number, index], turn.as_matrix(), atol=1e-9)
            for child, parent in zip(take.skeleton.names, take.skeleton.parents, strict=True):
                if parent == index:
                    np.testing.assert_allclose(
                        places[number, take.skeleton.names.index(child)], end, atol=1e-9
                    )


def test_rate_follows_the_numbers_of_the_frames(actor, write):
    person = actor()
    write("07.asf", person.asf())
    for step, rate in ((1, 120), (4, 30)):
        clip = read_amc(write("07_01.amc", person.amc(person.random_frames(3, 0), step)))
        assert (clip.rate, len(clip), clip.name) == (rate, 3, "07_01")
    assert read_amc(write("07_02.amc", person.amc([{}]))).rate == 120


def test_windows_line_ends_and_bones_in_another_order(actor, write):
    person = actor()
    write("07.asf", person.asf().replace("\n", "\r\n"))
    frames = person.random_frames(2, 0)
    clip = read_amc(write("07_01.amc", person.amc(frames)))
    lines = person.amc(frames).splitlines()
    block = len(person.dof())
    swapped = [*lines[:4], *lines[4 : 4 + block][::-1], lines[4 + block], *lines[5 + block :][::-1]]
    other = read_amc(write("07_02.amc", "\r\n".join(swapped)))
    np.testing.assert_array_equal(clip.rotations, other.rotations)


def test_the_asf_file_is_found_beside_the_amc_file(actor, write):
    person = actor()
    amc = write("a/07_01.amc", person.amc([{}]))
    with pytest.raises(MotionError, match=r"07_01\.amc: .*needs the ASF file .*found none; pass asf="):
        read_amc(amc)
    only = write("a/other.asf", person.asf())
    assert len(read_amc(amc)) == 1
    write("a/another.asf", "nonsense")
    with pytest.raises(MotionError, match=r"found another\.asf, other\.asf"):
        read_amc(amc)
    assert len(read_amc(amc, only)) == len(read_amc(amc, read_asf(only))) == 1
    write("a/07.asf", person.asf())
    assert len(read_amc(amc)) == 1


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (":version", ":verzion", 2, "a section must be of .* found :verzion"),
        (":name VICON", ":version 2", 3, "each once; found :version"),
        (":version 1.10\n:name", "hello\n:name", 2, "starts with a section such as :version; found 'hello'"),
        ("length 0.45", "length 0", 6, "length must be positive; found 0"),
        ("length 0.45", "length much", 6, "length must be finite numbers; found 'much'"),
        ("angle deg", "angle grad", 7, "angle must be deg or rad; found 'grad'"),
        ("order TX TY", "order TX TX", 11, "each once; found 'tx tx tz"),
        ("order TX TY", "order TX TW", 11, "channels must be of tx ty tz rx ry rz, each once; found 'tx tw"),
        ("axis XYZ\n", "axis XXZ\n", 14, "the order of three angles must be XYZ or the like; found 'XXZ'"),
        ("name lowerback", "name root", 26, "every bone has a name of its own; found 'root' again"),
        ("name upperback", "name lowerback", 37, "found 'lowerback' again"),
        ("    name lowerback\n", "", 25, "a bone must have name, .* found no name before this end"),
        ("    length 2.0\n    axis 0.0 0.0 0.0  XYZ\n", "", 24, "found no length"),
        ("axis 10.0 20.0 30.0", "axis 10.0 30.0", 43, "axis must be finite numbers; found 'XYZ'"),
        ("    id 1\n", "    idd 1\n", 17, "a bone has .* found 'idd'"),
        ("    lfemur ltibia\n", "    lfemur ltibula\n", None, "'ltibula', which is not in :bonedata"),
        (
            "    lfemur ltibia\n",
            "    lfemur ltibia lfemur\n",
            None,
            "'lfemur', which hangs on another already",
        ),
        ("    ltibia lfoot\n", "    lshank lfoot\n", None, "on one that is known by now; found 'lshank'"),
        ("    lhipjoint lfemur\n", "", None, "found 'lfemur'"),
        ("    lwrist lhand\n", "", None, "every bone of :bonedata hangs on another; found lhand nowhere"),
    ],
)
def test_malformed_asf_files(actor, write, old, new, line, message):
    text = actor().asf()
    assert old in text
    text = text.replace(old, new, 1)
    where = r"\d+" if line is None else line
    with pytest.raises(MotionError, match=rf"a\.asf:{where}: .*{message}"):
        read_asf(write("a.asf", text))


def test_asf_sections_that_are_not_there(actor, write):
    text = actor().asf()
    for section in (":units", ":root", ":bonedata", ":hierarchy"):
        with pytest.raises(MotionError, match=rf"a\.asf: an ASF file must have {section}"):
            read_asf(write("a.asf", text[: text.index(section)]))


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (":DEGREES", ":RADIANS", 3, "angles must be :degrees as in the ASF file; found :radians"),
        ("\n1\nroot", "\nroot", 4, "frames that start with a number; found 'root'"),
        ("\n2\nroot", "\n2\nrot", 31, "the lines of the first, here 'root'; found 'rot'"),
        ("\n2\n", "\n3\n", 56, "equal steps; found 3 after 3"),
        ("\n3\n", "\n4\n", 56, "equal steps; found 4 after 2"),
        ("\n3\n", "\n", 56, "here 'its number'; found 'root'"),
        ("lowerback ", "lowerbak ", 6, "one more bone that has dof in the ASF file; found 'lowerbak'"),
        ("lowerback 0.0 ", "lowerback ", 6, "lowerback must be 3 numbers; found 2"),
        ("lowerback 0.0 ", "lowerback 0.O ", 6, "lowerback must be finite numbers; found '0.O'"),
        ("lowerback 0.0 ", "lowerback inf ", 6, "found 'inf'"),
    ],
)
def test_malformed_amc_files(actor, write, old, new, line, message):
    person = actor()
    asf = write("a.asf", person.asf())
    text = person.amc([{}, {}, {}])
    assert old in text
    with pytest.raises(MotionError, match=rf"a\.amc:{line}: .*{message}"):
        read_amc(write("a.amc", text.replace(old, new)), asf)


def test_amc_files_cut_short_or_of_another_actor(actor, write):
    person = actor()
    asf = write("a.asf", person.asf())
    lines = person.amc([{}, {}]).splitlines()
    for count, message in [
        (3, "frames that start with a number; found ':DEGREES'"),
        (10, "a line for every bone with dof; found none of .*rradius"),
        (40, "every frame has 26 lines as the first; found 11"),
    ]:
        with pytest.raises(MotionError, match=rf"a\.amc:{count}: .*{message}"):
            read_amc(write("a.amc", "\n".join(lines[:count])), asf)
    twice = [*lines[:6], lines[5], *lines[6:]]
    with pytest.raises(MotionError, match=r"a\.amc:7: .*found 'lowerback'"):
        read_amc(write("a.amc", "\n".join(twice[:30])), asf)
