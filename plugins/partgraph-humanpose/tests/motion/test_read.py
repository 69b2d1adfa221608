import numpy as np
import pytest
from partgraph_humanpose.motion import MotionError, read_amc, read_bvh, read_motion


def test_files_and_folders(actor, figure, write, tmp_path):
    person = actor()
    write("b/07.asf", person.asf())
    amc = write("b/07_01.amc", person.amc(person.random_frames(2, seed=0)))
    bvh = write("a/walk.BVH", figure().text([{"LeftArm": (90, 0, 0)}]))
    write("a/notes.txt", "not motion")
    clips = read_motion(tmp_path)
    assert [clip.name for clip in clips] == ["walk", "07_01"]
    np.testing.assert_array_equal(clips[0].rotations, read_bvh(bvh).rotations)
    np.testing.assert_array_equal(clips[1].rotations, read_amc(amc).rotations)
    assert [clip.name for clip in read_motion(str(amc))] == ["07_01"]


def test_options_reach_the_readers(figure, write):
    path = write("a.bvh", figure().text([{}], [(0, 0, 100)]))
    (clip,) = read_motion(path, up="z", scale=0.01)
    np.testing.assert_allclose(clip.position, [[0, 1, 0]], atol=1e-7)


def test_other_paths_are_refused(write, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(MotionError, match=r"empty: a folder of motion has \.amc or \.bvh files; found none"):
        read_motion(tmp_path / "empty")
    with pytest.raises(MotionError, match=r"a\.fbx: .* found \.fbx; convert the file"):
        read_motion(write("a.fbx", "x"))
    with pytest.raises(MotionError, match=r"gone\.bvh: .*found No such file"):
        read_motion(tmp_path / "gone.bvh")
