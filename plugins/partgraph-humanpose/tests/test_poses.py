"""Random poses: frames as recorded, or limbs of several frames."""

import numpy as np
import pytest
from partgraph_humanpose.figure.poses import PoseMixing, PoseSampler
from partgraph_humanpose.motion import MotionClip, embedded_clips

LIMBS = ((16, 18, 20), (17, 19, 21), (1, 4, 7, 10), (2, 5, 8, 11), (3, 6, 9, 12, 15))


def numbered(name, frames, base):
    """Frame k of a clip has the number base + k / 100 in every entry but joint 13, which never moves."""
    rotations = np.tile((base + np.arange(frames) / 100)[:, None, None], (1, 22, 3)).astype(np.float32)
    rotations[:, 13] = 0
    return MotionClip(name, 30, rotations, np.zeros((frames, 3)))


CLIPS = (numbered("one", 10, 1.0), numbered("two", 30, 2.0), numbered("three", 60, 3.0))


def draws(sampler, count, clip=None):
    random = np.random.default_rng(0)
    return [sampler.draw(random, clip) for _ in range(count)]


def test_without_mixing_poses_are_frames():
    for pose, clip in draws(PoseSampler(CLIPS), 50):
        assert pose.shape == (22, 3)
        assert any(np.array_equal(pose, frame) for frame in CLIPS[clip].rotations)


def test_every_frame_is_as_likely():
    clips = [clip for _, clip in draws(PoseSampler(CLIPS), 3000)]
    np.testing.assert_allclose(np.bincount(clips) / 3000, [0.1, 0.3, 0.6], atol=0.03)


def test_weights_replace_the_number_of_frames():
    clips = [clip for _, clip in draws(PoseSampler(CLIPS, weights=(8, 0, 2)), 2000)]
    np.testing.assert_allclose(np.bincount(clips, minlength=3) / 2000, [0.8, 0, 0.2], atol=0.03)


def test_a_clip_can_be_asked_for():
    assert {clip for _, clip in draws(PoseSampler(CLIPS, weights=(1, 0, 0)), 20, clip=2)} == {2}


def test_limbs_come_whole_from_frames():
    mixed = 0
    for pose, clip in draws(PoseSampler(CLIPS, PoseMixing(limbs=1.0, limb=0.5)), 200):
        sources = {float(pose[0, 0])}
        for limb in LIMBS:
            values = np.unique(pose[list(limb)])
            assert len(values) == 1
            assert any(np.isclose(values[0], clip.rotations[:, 0, 0]).any() for clip in CLIPS)
            sources.add(float(values[0]))
        assert int(pose[0, 0]) == clip + 1  # the torso's turn is that of the clip named
        mixed += len(sources) > 1
    assert mixed > 150


def test_how_often_limbs_are_exchanged():
    changed = [
        np.mean([pose[limb[0], 0] != pose[0, 0] for limb in LIMBS])
        for pose, _ in draws(PoseSampler(CLIPS, PoseMixing(limbs=0.5, limb=0.4)), 3000)
    ]
    assert np.mean(np.array(changed) > 0) == pytest.approx(0.5 * (1 - 0.6**5), abs=0.03)
    assert np.mean(changed) == pytest.approx(0.5 * 0.4, abs=0.02)


def test_noise_disturbs_moving_joints_only():
    poses = np.array([pose for pose, _ in draws(PoseSampler(CLIPS[:1], PoseMixing(noise=0.1)), 500)])
    frames = CLIPS[0].rotations
    assert (poses[:, 13] == 0).all()
    assert np.isin(poses[:, 0], frames[:, 0]).all()
    disturbed = poses[:, 1:] - np.round(poses[:, :1], 2)
    moving = np.delete(disturbed, 12, axis=1)
    assert moving.std() == pytest.approx(0.1, rel=0.05)
    assert abs(moving.mean()) < 0.005


def test_root_and_tumble_change_the_root_alone():
    shared = {"clips": CLIPS}
    for mixing in (PoseMixing(root=1.0), PoseMixing(tumble=1.0)):
        for pose, clip in draws(PoseSampler(**shared, mixing=mixing), 50):
            assert any(np.array_equal(pose[1:], frame[1:]) for frame in CLIPS[clip].rotations)
    roots = np.array([pose[0] for pose, _ in draws(PoseSampler(CLIPS, PoseMixing(tumble=1.0)), 500)])
    assert np.linalg.norm(roots, axis=1).max() <= np.pi + 1e-5
    assert np.abs(roots.mean(0)).max() < 0.3
    turned = [
        pose[0, 0] != pose[1, 0]
        for pose, _ in draws(PoseSampler(CLIPS, PoseMixing(root=0.3, tumble=0.3)), 2000)
    ]
    assert np.mean(turned) == pytest.approx(0.6, abs=0.05)


def test_the_generator_decides_everything():
    sampler = PoseSampler(embedded_clips(), PoseMixing(0.5, 0.4, 0.2, 0.2, 0.1))
    one, same = (sampler.draw(np.random.default_rng(3))[0] for _ in range(2))
    other = sampler.draw(np.random.default_rng(4))[0]
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_clips_are_not_changed():
    before = [clip.rotations.copy() for clip in CLIPS]
    draws(PoseSampler(CLIPS, PoseMixing(1.0, 1.0, 0.5, 0.5, 0.5)), 50)
    for clip, rotations in zip(CLIPS, before, strict=True):
        np.testing.assert_array_equal(clip.rotations, rotations)
