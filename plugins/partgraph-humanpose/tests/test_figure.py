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
