"""A small experiment on people of the studio and on 2D pictures, and the command line to run it."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from partgraph.cli import main

EXPERIMENT = """
name = "small"
[data.train]
name = "mixture"
[[data.train.members]]
share = 0.75
dataset = {{ name = "human36m", folder = "{human36m}", subjects = ["S1"], size = 64 }}
[[data.train.members]]
share = 0.25
dataset = {{ name = "lsp", folder = "{lsp}", size = 64 }}
[data.validation]
name = "human36m"
folder = "{human36m}"
subjects = ["S11"]
size = 64
count = 4
[data.test]
name = "human36m"
folder = "{human36m}"
split = "test"
size = 64
count = 6
[model]
name = "volumetric-resnet"
size = 64
stride = 8
bins = 8
widths = [8, 8, 8, 8]
features = 8
candidates = 20
[loss]
name = "deep-supervision"
[augmentation]
flip = 0.5
rotation = 20.0
scale = 0.2
erase = 0.3
[evaluation]
graphs = ["unary-only", "stick-figure"]
solver = "dynamic-programming"
[training]
batch = 6
decay = 0
steps = {steps}
"""


@pytest.fixture
def lsp(tmp_path):
    """Three people with joints in the image only."""
    folder, random = tmp_path / "lsp", np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    joints = np.concatenate([random.uniform(5, 80, (2, 14, 3)), np.zeros((1, 14, 3))])
    savemat(folder / "joints.mat", {"joints": joints})
    for number in range(1, 4):
        picture = random.integers(0, 255, (90, 100, 3)).astype(np.uint8)
        Image.fromarray(picture).save(folder / "images" / f"im{number:04d}.jpg")
    return folder


@pytest.fixture
def small_experiment(folders, lsp, tmp_path):
    """Return a function that writes a small experiment on people of one layout, and 2D pictures, into a file."""

    def write(layout, steps, further=""):
        path = tmp_path / "small.toml"
        path.write_text(EXPERIMENT.format(human36m=folders / layout, lsp=lsp, steps=steps) + further)
        return path

    return write


@pytest.fixture
def run():
    """Return a function that calls the command line and returns its exit code."""

    def call(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main(list(map(str, arguments)))
        return exit_.value.code

    return call
