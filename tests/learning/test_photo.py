"""Users' pictures: read upright, cropped around the object, and positions mapped back onto them."""

import io
import warnings

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Image = pytest.importorskip("PIL.Image")

from partgraph.errors import PartGraphError  # noqa: E402
from partgraph.learning.photo import MARGIN, Box, PhotoError, crop_photo, read_photo  # noqa: E402


def ramp(height, width):
    """A picture whose red says x and whose green says y, in pixels."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x, y, np.zeros_like(x)], -1)


def coded(height, width):
    """`ramp` as bytes, at a scale that fills them."""
    return np.round(ramp(height, width) * (255 / max(height, width))).astype(np.uint8)


sizes = st.integers(8, 90)


@st.composite
def pictures_and_boxes(draw):
    """A picture's size, and a box that overlaps it, often only in part."""
    height, width = draw(sizes), draw(sizes)
    fraction = st.floats(0.02, 0.98)
    inside_x, inside_y = draw(fraction) * width, draw(fraction) * height
    reach = st.floats(0.01, 1.5)
    left, top = inside_x - draw(reach) * width, inside_y - draw(reach) * height
    right, bottom = inside_x + draw(reach) * width, inside_y + draw(reach) * height
    return height, width, Box(left, top, right - left, bottom - top)


@settings(deadline=None, max_examples=100)
@given(pictures_and_boxes(), st.integers(16, 64))
def test_crops_map_back_to_the_pictures_pixels(picture_and_box, size):
    """What the crop shows at a pixel is what the picture shows where `to_picture` says; at its border the nearest."""
    height, width, box = picture_and_box
    crop = crop_photo(coded(height, width), box, size)
    assert crop.image.shape == (size, size, 3)
    assert crop.image.dtype == np.uint8
    x, y = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    at = crop.to_picture(np.stack([x, y, np.zeros_like(x)], -1))
    shown = crop.image[..., :2] / (255 / max(height, width))
    expected = np.clip(at[..., :2], 0.5, [width - 0.5, height - 0.5])
    rounding = max(height, width) / 255
    near = crop.scale * 1.5 + 0.5  # within reach of the border the filter averages the ramp and its end
    flat = ((at[..., :2] > near) & (at[..., :2] < np.array([width, height]) - near)).all(-1)
    np.testing.assert_allclose(shown[flat], expected[flat], atol=3 * rounding)
    np.testing.assert_allclose(shown, expected, atol=3 * rounding + 0.5 * crop.scale + 0.5)


@settings(deadline=None)
@given(pictures_and_boxes(), st.integers(16, 64))
def test_the_square_is_around_the_box(picture_and_box, size):
    height, width, box = picture_and_box
    crop = crop_photo(coded(height, width), box, size)
    side = crop.scale * size
    assert side == pytest.approx(MARGIN * max(box.width, box.height))
    middle = crop.to_picture(np.array([size / 2, size / 2, 0]))
    np.testing.assert_allclose(
        middle, [box.left + box.width / 2, box.top + box.height / 2, 0], atol=1e-6 * side
    )


def test_depth_is_scaled_like_x_and_y():
    crop = crop_photo(coded(80, 40), Box(0, 0, 40, 40), 20, margin=1.0)
    assert crop.scale == pytest.approx(2)
    np.testing.assert_allclose(crop.to_picture(np.array([[0, 0, 7.0], [1, 2, -3]])), [[0, 0, 14], [2, 4, -6]])


@pytest.mark.parametrize(("height", "width"), [(30, 50), (50, 30), (33, 33)])
def test_without_a_box_it_is_the_whole_picture(height, width):
    crop = crop_photo(coded(height, width), None, 64)
    side = max(height, width)
    assert crop.scale * 64 == pytest.approx(side)
    corners = crop.to_picture(np.array([[0, 0, 0], [64, 64, 0]]))
    np.testing.assert_allclose(
        corners[:, :2],
        [[(width - side) / 2, (height - side) / 2], [(width + side) / 2, (height + side) / 2]],
    )


def test_a_crop_of_the_pictures_own_pixels_is_exact():
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    crop = crop_photo(picture, Box(10, 5, 20, 20), 20, margin=1.0)
    np.testing.assert_array_equal(crop.image, picture[5:25, 10:30])


def test_outside_the_picture_its_border_goes_on():
    picture = np.random.default_rng(0).integers(0, 256, (10, 10, 3)).astype(np.uint8)
    crop = crop_photo(picture, Box(-5, 0, 10, 10), 10, margin=1.0)
    np.testing.assert_array_equal(crop.image[:, 5:], picture[:, :5])
    np.testing.assert_array_equal(crop.image[:, :5], np.repeat(picture[:, :1], 5, 1))


WRONG_BOXES = [
    (Box(10, 10, 0, 5), "empty"),
    (Box(10, 10, 5, -1), "empty"),
    (Box(100, 10, 5, 5), "outside"),
    (Box(-10, 10, 10, 5), "outside"),
    (Box(10, 50, 5, 5), "outside"),
    (Box(10, -5, 5, 5), "outside"),
    (Box(float("nan"), 0, 5, 5), "finite"),
    (Box(0, 0, float("inf"), 5), "finite"),
    (Box(0, 0, 1e9, 1e9), "far larger"),
]


@pytest.mark.parametrize(("box", "word"), WRONG_BOXES)
def test_wrong_boxes_are_refused(box, word):
    with pytest.raises(PhotoError, match=word) as caught:
        crop_photo(coded(50, 100), box, 32)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, PartGraphError)


def save(path, picture, **options):
    Image.fromarray(picture).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
def test_reads_pictures(tmp_path, suffix):
    picture = coded(40, 60)
    path = save(tmp_path / f"picture.{suffix}", picture)
    read = read_photo(path)
    assert read.shape == picture.shape
    assert np.abs(read.astype(int) - picture).max() <= (8 if suffix == "jpg" else 0)


# EXIF orientation -> what undoes it: the picture as stored, given the upright one.
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright, 2).transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("orientation", STORED)
def test_pictures_are_turned_upright(tmp_path, orientation):
    upright = coded(24, 40)
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(read_photo(tmp_path / "turned.png"), upright)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK", "I;16"])
def test_other_modes_become_rgb(tmp_path, mode):
    grey = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (20, 1))
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(grey).convert("RGB").convert(mode, palette=Image.Palette.ADAPTIVE)
    path = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
    image.save(path)
    picture = read_photo(path)
    assert picture.shape == (20, 40, 3)
    assert picture.dtype == np.uint8
    wanted = np.where(grey > 127, 255, 0) if mode == "1" else grey
    if mode != "1":  # dithered
        assert np.abs(picture.astype(int) - wanted[..., None]).max() <= 3


def test_missing_file(tmp_path):
    with pytest.raises(PhotoError, match=r"none\.png: no such file"):
        read_photo(tmp_path / "none.png")


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"])
def test_no_picture(tmp_path, content):
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=r"bad\.png: cannot be read as a picture") as caught:
        read_photo(path)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(PhotoError, match="cannot be read"):
        read_photo(tmp_path)


def encoded(kind):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)).save(
        buffer, kind
    )
    return buffer.getvalue()


WHOLE = {kind: encoded(kind) for kind in ("PNG", "JPEG")}


@settings(deadline=None, max_examples=200)
@given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG"]))
def test_damaged_pictures_are_read_or_refused(tmp_path_factory, data, kind):
    content = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind.lower()}"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, about what it could not make out
        try:
            picture = read_photo(path)
        except PhotoError:
            return
    assert picture.ndim == 3
    assert picture.shape[2] == 3


def test_a_picture_with_a_broken_chunk(tmp_path):
    """Its first chunk of pixels says that it is five bytes long; Pillow calls that a SyntaxError."""
    content = WHOLE["PNG"]
    (tmp_path / "broken.png").write_bytes(content[:33] + (5).to_bytes(4, "big") + content[37:])
    with pytest.raises(PhotoError, match="cannot be read as a picture"):
        read_photo(tmp_path / "broken.png")


def test_boxes_are_left_top_width_height():
    assert attrs.astuple(Box(1, 2, 3, 4)) == (1, 2, 3, 4)
