import pickle

import numpy as np
import pytest
from partgraph_humanpose.motion import MotionClip, MotionError, embedded_clips
from partgraph_humanpose.motion.rig import JOINTS, OFFSETS, PARENTS
from scipy.spatial.transform import Rotation


def clip(frames=4, rate=30.0, seed=0):
    random = np.random.default_rng(seed)
    return MotionClip("c", rate, random.normal(size=(frames, 22, 3)), random.normal(size=(frames, 3)))


def test_embedded_clips_are_those_of_the_archive():
    clips = {clip.name: clip for clip in embedded_clips()}
    assert len(clips) == 15
    assert sum(len(clip) for clip in clips.values()) == 1620
    seconds = {"backflip": 0.0625, "getup_faceup": 0.0167, "kick": 0.0333, "spin": 0.0417, "walk": 0.0333}
    for name, frame in seconds.items():
        assert clips[name].rate == pytest.approx(1 / frame, rel=0.003)
    # Numbers of the archive's row 100, the 71st frame of the cartwheel.
    cartwheel = clips["cartwheel"]
    np.testing.assert_allclose(cartwheel.rotations[71, 0], [-0.1326, 0.9116, -2.545], atol=1e-3)
    np.testing.assert_allclose(cartwheel.position[71], [0.7646, 0.915, -0.0686], atol=1e-3)
    np.testing.assert_allclose(
        cartwheel.rotations[71, JOINTS.index("L_Hip")], [-1.699, 0.2888, 0.7485], atol=1e-3
    )


def test_embedded_people_walk_upright_and_get_up():
    clips = {clip.name: clip for clip in embedded_clips()}
    head, pelvis = JOINTS.index("Head"), 0
    _, walk = clips["walk"].joints()
    assert (walk[:, head, 1] - walk[:, pelvis, 1]).min() > 0.5
    _, up = clips["getup_faceup"].joints()
    assert up[0, head, 1] - up[0, pelvis, 1] < 0.3 < up[-1, head, 1] - up[-1, pelvis, 1]


def test_unturned_rig_is_a_t_pose():
    _, positions = MotionClip("t", 1, np.zeros((1, 22, 3)), [[0, 1, 0]]).joints()
    at = dict(zip(JOINTS, positions[0], strict=True))
    assert at["L_Wrist"][0] > 0.6 > -0.6 > at["R_Wrist"][0]
    assert at["L_Wrist"][1] == at["L_Shoulder"][1]
    assert at["Head"][1] > at["Neck"][1] > at["Root"][1] == 1 > at["L_Ankle"][1]
    assert at["L_Foot"][2] > 0


def test_parents_come_first():
    assert PARENTS[0] == -1
    assert all(0 <= parent < joint for joint, parent in enumerate(PARENTS) if joint)


def test_joints_agree_with_rotations_multiplied_one_by_one():
    motion = clip(frames=2)
    turns, positions = motion.joints()
    for frame in range(2):
        for joint in range(22):
            path, turn = [joint], Rotation.identity()
            while PARENTS[path[0]] >= 0:
                path.insert(0, PARENTS[path[0]])
            place = motion.position[frame].astype(float)
            for index in path:
                if index:
                    place = place + turn.as_matrix() @ OFFSETS[index]
                turn = turn * Rotation.from_rotvec(motion.rotations[frame, index])
            np.testing.assert_allclose(turns[frame, joint], turn.as_matrix(), atol=1e-12)
            np.testing.assert_allclose(positions[frame, joint], place, atol=1e-12)


def test_a_slice_is_a_clip():
    motion = clip(frames=10, rate=120)
    part = motion[2:9:4]
    assert (len(part), part.rate, part.name) == (2, 30.0, "c")
    np.testing.assert_array_equal(part.rotations, motion.rotations[[2, 6]])
    np.testing.assert_array_equal(part.position, motion.position[[2, 6]])


@pytest.mark.parametrize("frames", [slice(None, None, -1), 3, slice(4, 4)])
def test_other_picks_are_refused(frames):
    with pytest.raises(MotionError, match="clip 'c'"):
        clip()[frames]


def test_clips_keep_their_own_read_only_arrays():
    rotations = np.zeros((1, 22, 3), dtype=np.float32)
    motion = MotionClip("c", 1, rotations, np.zeros((1, 3)))
    rotations += 1
    assert not motion.rotations.any()
    with pytest.raises(ValueError, match="read-only"):
        motion.rotations[0] = 1


def test_malformed_clips_are_refused():
    good = np.zeros((2, 22, 3)), np.zeros((2, 3))
    bad = np.zeros((2, 22, 3))
    bad[1, 3, 0] = np.nan
    for rate, rotations, position, message in [
        (30, np.zeros((2, 21, 3)), good[1], r"must be \(F, 22, 3\) .* found \(2, 21, 3\) and \(2, 3\)"),
        (30, good[0], np.zeros((3, 3)), r"found \(2, 22, 3\) and \(3, 3\)"),
        (30, good[0][:0], good[1][:0], "F > 0"),
        (30, 0.0, good[1], "rotations must be"),
        (30, bad, good[1], "rotations must be finite; found 1 frames that are not, the first is frame 1"),
        (0, *good, "rate must be positive; found 0"),
        (np.inf, *good, "rate must be positive"),
    ]:
        with pytest.raises(MotionError, match=message):
            MotionClip("c", rate, rotations, position)


def test_errors_survive_a_process_boundary():
    error = pickle.loads(pickle.dumps(MotionError("a.bvh:3", "one", "two", "count")))  # as a worker's do
    assert str(error) == "a.bvh:3: one; found two; count"
