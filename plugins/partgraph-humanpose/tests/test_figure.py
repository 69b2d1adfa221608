"""Pictures of figures: left on the left, and no two dressed alike."""

import functools

import numpy as np
import pytest
from partgraph_humanpose.figure.clothes import clothes
from partgraph_humanpose.skeleton import PARTS

from partgraph.rendering import SceneOptions, draw_scene
from partgraph.rendering import scene as scene_module

SIZE = 96


def test_seen_from_the_front_the_left_hand_is_on_the_right(body, monkeypatch):
    t_pose = body.pose(np.zeros(8), np.zeros((22, 3)))
    front = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # a camera at -y, which is what the figure faces
    monkeypatch.setattr(
        scene_module, "random_camera", lambda target, *options: (front, target + np.array([0, -4.0, 0]))
    )
    paint = functools.partial(clothes, body)
    picture = draw_scene(t_pose, paint, SIZE, SceneOptions(shift=0), np.random.default_rng(0))
    x, y = (dict(zip(PARTS, axis, strict=True)) for axis in picture.projected.T)
    assert x["left-wrist"] > x["pelvis"] > x["right-wrist"]
    assert y["head-top"] < y["pelvis"] < y["left-ankle"]  # y points down
    assert (picture.camera[:, 2] > 3).all()


@pytest.mark.parametrize("seed", range(4))
def test_every_face_has_a_colour_that_the_generator_decides(body, seed):
    one, same, other = (clothes(body, np.random.default_rng(s)) for s in (seed, seed, seed + 1))
    assert one.shape == (len(body.faces), 3)
    assert ((one >= 0) & (one <= 1)).all()
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert len(np.unique(one.round(1), axis=0)) > 3


def test_sleeves_are_on_arms_and_hair_is_on_the_head(body):
    rest, heads = body.rest(np.zeros(len(body.components)))
    place, bone = rest[body.faces].mean(1), np.array(body.bones)[body.skin[body.faces[:, 0]].argmax(1)]
    arm = np.isin(bone, ["upperarm01.L", "upperarm01.R", "lowerarm01.L", "lowerarm01.R"])
    bare = arm & (body.region[body.faces[:, 0]] == 0)  # where the mesh itself wears no shirt
    upper = bare & (abs(place[:, 0]) < np.quantile(abs(place[bare, 0]), 0.05))
    above = place[:, 2] - heads[body.bones.index("head"), 2]
    covered, hairy = 0, 0
    for seed in range(8):
        color = clothes(body, np.random.default_rng(seed))
        face, crown = (np.median(color[(bone == "head") & part], 0) for part in (above < 0, above > 0.13))
        hand = np.median(color[np.char.startswith(bone, "wrist")], 0)
        np.testing.assert_allclose(hand, face, atol=0.03)  # both are skin
        covered += bool(abs(np.median(color[upper], 0) - hand).max() > 0.1)
        hairy += bool(abs(crown - face).max() > 0.1)
    assert 0 < covered < 8
    assert hairy > 4
