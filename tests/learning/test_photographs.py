"""Photographs of one's own in rendered pictures: which files, which parts of them, and where they are seen."""

import shutil

import attrs
import numpy as np
import pytest

pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from partgraph.learning.cache import recipe_digest  # noqa: E402
from partgraph.learning.photo import PhotoError, read_photo  # noqa: E402
from partgraph.learning.photographs import Photographs, photographs_of, scene_recipe  # noqa: E402
from partgraph.rendering import PosedMesh, SceneOptions, draw_scene  # noqa: E402

SIZE = 64
BARE = SceneOptions(noise=0.0, occluders=(1.0,))


def ramp(height, width, blue):
    """Red grows with x, green with y."""
    y, x = np.mgrid[:height, :width]
    return np.stack([255 * x // width, 255 * y // height, np.full_like(x, blue)], -1).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photographs"
    (folder / "below").mkdir(parents=True)
    Image.fromarray(ramp(100, 160, 40)).save(folder / "one.png")
    Image.fromarray(ramp(50, 30, 200)).save(folder / "below" / "two.PNG")
    (folder / "notes.txt").write_text("no picture")
    return folder


def draw(seed, options, photographs=None):
    """A triangle, seen from the front or from behind."""
    corners = np.array([[-0.3, 0.0, 0.5], [0.3, 0.0, 0.5], [0.0, 0.0, 1.5]])
    mesh = PosedMesh(corners, np.array([[0, 1, 2], [0, 2, 1]]), corners * 0.5, depth_inside=0.1)
    return draw_scene(
        mesh, lambda random: np.zeros((2, 3)), SIZE, options, np.random.default_rng(seed), photographs
    )


def test_files_are_found_below_folders_and_known_by_their_content(folder, tmp_path):
    found = Photographs.below((str(folder),))
    assert {path.name for path in found.files} == {"one.png", "two.PNG"}
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.copy(folder / "one.png", moved / "z.png")
    shutil.copy(folder / "below" / "two.PNG", moved / "a.png")
    again = Photographs.below((str(moved), str(folder)))
    assert again.digest == found.digest
    assert [path.read_bytes() for path in again.files] == [path.read_bytes() for path in found.files]
    Image.fromarray(ramp(20, 20, 7)).save(moved / "new.jpg")
    assert Photographs.below((str(moved),)).digest != found.digest


def test_a_part_is_a_part(folder):
    """Of the shape asked for, undistorted, inside the photograph, mirrored or not."""
    photographs, mirrored = Photographs.below((str(folder),)), set()
    for seed in range(40):
        part = photographs(24, 12, np.random.default_rng(seed)) * 255
        assert part.shape == (24, 12, 3)
        blue = part[..., 2]
        assert np.ptp(blue) == 0
        height, width = {40: (100, 160), 200: (50, 30)}[round(blue[0, 0])]
        across, down = np.diff(part[..., 0], axis=1).mean(), np.diff(part[..., 1], axis=0).mean()
        mirrored.add((round(blue[0, 0]), bool(across < 0)))
        # Pixels of the photograph per pixel of the part, along x and along y.
        along = abs(across) * width / 255, down * height / 255
        assert along[0] == pytest.approx(along[1], rel=0.1)
        largest = min(height / 24, width / 12)
        assert 0.38 * largest < along[1] < 1.05 * largest
        assert part.min() >= 0
        assert part.max() <= 255
    assert len(mirrored) == 4


def test_photographs_take_the_place_of_what_is_painted(folder):
    photographs = Photographs.below((str(folder),))
    options = attrs.evolve(BARE, photographs=(str(folder),), photo_background=1.0)
    blues = set()
    for seed in range(8):
        image = draw(seed, options, photographs).image
        outside = image[image.any(-1)]
        # One light for all of the picture: red and green vary, the photograph's blue is one value.
        assert np.ptp(outside[:, 2]) <= 1
        assert np.ptp(outside[:, :2], axis=0).min() > 40
        blues.add(bool(outside[0, 2] > 100))
    assert blues == {False, True}
    covered = attrs.evolve(options, photo_background=0.0, photo_occluders=1.0, occluders=(0.0, 1.0))
    without = attrs.evolve(covered, photo_occluders=0.0)
    for seed in range(4):
        one, other = draw(seed, covered, photographs), draw(seed, without, photographs)
        np.testing.assert_array_equal(one.visible, other.visible)
        assert not np.array_equal(one.image, other.image)


def test_with_probability_zero_and_without_folders_none_is_seen(folder):
    never = attrs.evolve(BARE, photo_background=0.0)
    seen = []
    draw(1, never, lambda *arguments: seen.append(arguments))
    assert not seen
    assert photographs_of(SceneOptions()) is None


def test_the_seed_decides_everything(folder):
    photographs = Photographs.below((str(folder),))
    options = SceneOptions(photographs=(str(folder),), occluders=(0.0, 0.0, 1.0))
    one, same, other = (draw(seed, options, photographs).image for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_recipe_names_what_decides_pictures(folder, tmp_path):
    """Without photographs it is what it was before there were any, so that pictures made then are found."""
    plain = SceneOptions()
    assert scene_recipe(plain).keys() == {
        "distance",
        "elevation",
        "roll",
        "margin",
        "shift",
        "occluders",
        "noise",
    }
    assert scene_recipe(attrs.evolve(plain, photo_background=0.3)) == scene_recipe(plain)
    shutil.copytree(folder, tmp_path / "copy")
    here, there = (SceneOptions(photographs=(str(own),)) for own in (folder, tmp_path / "copy"))
    assert recipe_digest(scene_recipe(here)) == recipe_digest(scene_recipe(there))
    assert scene_recipe(here) != scene_recipe(plain)
    assert scene_recipe(here) != scene_recipe(attrs.evolve(here, photo_occluders=0.1))
    (tmp_path / "other").mkdir()
    shutil.copy(folder / "one.png", tmp_path / "other")
    assert scene_recipe(SceneOptions(photographs=(str(tmp_path / "other"),))) != scene_recipe(here)


def test_a_folder_without_photographs_is_one_clear_error(tmp_path):
    for name, what in (("none", "no such folder"), (".", "no JPEG or PNG file")):
        with pytest.raises(PhotoError, match=what) as caught:
            scene_recipe(SceneOptions(photographs=(str(tmp_path / name),)))
        assert "\n" not in str(caught.value)
        assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("value", [-0.1, 1.5])
def test_probabilities_are_probabilities(value):
    with pytest.raises(ValueError, match="photo_background"):
        SceneOptions(photo_background=value)


def test_a_large_jpeg_is_read_no_finer_than_enough(tmp_path):
    Image.fromarray(ramp(400, 640, 90)).save(tmp_path / "large.jpg")
    assert read_photo(tmp_path / "large.jpg").shape == (400, 640, 3)
    assert read_photo(tmp_path / "large.jpg", 100).shape == (100, 160, 3)
    assert read_photo(tmp_path / "large.jpg", 150).shape == (200, 320, 3)
    (tmp_path / "large.jpg").write_bytes(b"no picture")
    with pytest.raises(PhotoError, match="cannot be read as a picture"):
        read_photo(tmp_path / "large.jpg", 100)
