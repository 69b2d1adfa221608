"""Poses in users' own pictures: found where they are, written beside and never over what was read."""

import json

import attrs
import numpy as np
import pytest

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from partgraph import plugins  # noqa: E402
from partgraph.learning.checkpoint import load_trained  # noqa: E402
from partgraph.learning.infer import Decoder  # noqa: E402
from partgraph.learning.photo import Box, PhotoError, read_photo  # noqa: E402
from partgraph.learning.predict import predict, write_predictions  # noqa: E402


@pytest.fixture(scope="module")
def trained(folder_of_trained):
    return load_trained(folder_of_trained)


@pytest.fixture(scope="module")
def decoder(trained):
    return Decoder.of(trained.experiment.evaluation, trained.network.parts)


@pytest.fixture
def photo(tmp_path, trained):
    """A picture of dots, three times as large as the network's and wider than high, and where the dots are."""
    sample = trained.experiment.dataset("test")[0]
    large = np.kron(sample.image, np.ones((3, 3, 1), np.uint8))
    picture = np.pad(large, ((10, 20), (40, 60), (0, 0)), mode="edge")
    path = tmp_path / "photo.png"
    Image.fromarray(picture).save(path)
    where = sample.target * 3 + np.array([40, 10, 0])
    return path, Box(40, 10, 96, 96), where


def test_parts_are_found_in_the_pictures_own_pixels(trained, photo):
    """Without margin the crop is what the network was trained with, so every dot is found in its cell."""
    from partgraph.learning.photo import crop_photo

    path, box, where = photo
    crop = crop_photo(read_photo(path), box, trained.network.input_size, margin=1.0)
    sample = trained.experiment.dataset("test")[0]
    assert np.abs(crop.image.astype(int) - sample.image).mean() < 5
    image = torch.from_numpy(np.array(crop.image)).permute(2, 0, 1)[None].float() / 255
    alone = Decoder({"dots-alone": plugins.get("graph", "dots-alone")}, {}, "dynamic-programming")
    found = crop.to_picture(alone(trained.network, image)[0]["dots-alone"].positions)
    assert np.median(np.abs(found - where).max(1)) < 1e-3


def test_predict_reads_crops_and_solves(trained, decoder, photo):
    path, box, _ = photo
    prediction = predict(trained, decoder, path, box)
    assert prediction.crop.image.shape == (32, 32, 3)
    assert list(prediction.answers) == ["dots-alone", "dots-star", "dots-chain"]
    whole = predict(trained, decoder, path)
    assert whole.crop.scale * 32 == pytest.approx(196)


def test_unreadable_picture(trained, decoder, tmp_path):
    with pytest.raises(PhotoError):
        predict(trained, decoder, tmp_path / "none.png")


def test_writes_overlay_report_and_json(trained, decoder, photo, tmp_path):
    path, box, _ = photo
    prediction = predict(trained, decoder, path, box)
    told = []
    write_predictions(trained, [prediction], tmp_path / "deep" / "out", (), told.append)
    out = tmp_path / "deep" / "out"
    assert told == [out / "photo-pose.png", out / "poses.json", out / "report.html"]
    assert sorted(out.iterdir()) == sorted(told)
    overlay = np.asarray(Image.open(out / "photo-pose.png"))
    picture = read_photo(path)
    assert overlay.shape == picture.shape
    assert (np.abs(overlay.astype(int) - picture).max(-1) > 60).mean() > 0.005  # something was drawn
    values = json.loads((out / "poses.json").read_text())
    assert values["model"] == "toy"
    assert values["parts"] == ["red", "green", "left-blue", "right-blue"]
    one = values["pictures"][0]
    assert one["file"] == str(path)
    assert one["size"] == [196, 126]
    assert one["crop"]["side"] == pytest.approx(96 * 1.12)
    assert one["crop"]["left"] == pytest.approx(40 - 96 * 0.06)
    for name, found in prediction.answers.items():
        pose = one["poses"][name]
        np.testing.assert_allclose(
            pose["positions_px"], prediction.crop.to_picture(found.positions), atol=6e-4
        )
        assert pose["status"] == "OPTIMAL"
        assert pose["upper_bound"] >= pose["score"]
    assert "photo.png" in (out / "report.html").read_text(encoding="utf-8")


def test_the_overlay_is_drawn_where_the_parts_of_the_last_graph_are(trained, decoder, tmp_path):
    """On a grey picture whatever differs from grey was drawn."""
    Image.fromarray(np.full((90, 90, 3), 128, np.uint8)).save(tmp_path / "grey.png")
    prediction = predict(trained, decoder, tmp_path / "grey.png")
    where = {"dots-star": (10.0, 12, 0), "dots-chain": (20.0, 24, 0)}  # px of the crop of 32
    moved = {
        name: attrs.evolve(found, positions=np.tile(where.get(name, (1, 1, 0)), (4, 1)))
        for name, found in prediction.answers.items()
    }
    write_predictions(trained, [attrs.evolve(prediction, answers=moved)], tmp_path / "out")
    overlay = np.asarray(Image.open(tmp_path / "out" / "grey-pose.png")).astype(int)
    drawn = np.argwhere((overlay != 128).any(-1))[:, ::-1] + 0.5
    np.testing.assert_allclose(drawn.mean(0), np.array([20, 24]) * 90 / 32, atol=0.7)
    assert (np.ptp(drawn, axis=0) < 9).all()


def test_pictures_of_one_name_and_names_that_collide(trained, decoder, tmp_path):
    picture = np.zeros((20, 20, 3), np.uint8)
    names = ["a/x.png", "b/x.png", "c/x.jpg", "c/x-pose.png", "c/x-pose-2.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(picture).save(tmp_path / name)
    predictions = [predict(trained, decoder, tmp_path / name) for name in names]
    told = []
    write_predictions(trained, predictions, tmp_path / "out", (), told.append)
    assert len(set(told)) == len(told) == 7
    assert all(path.exists() for path in told)


def test_pictures_that_were_read_are_not_overwritten(trained, decoder, tmp_path):
    """The folder of the pictures may be the folder for the results, again and again."""
    for name in ("x.png", "x-pose.png", "y-pose.png"):
        Image.fromarray(np.full((20, 20, 3), 7, np.uint8)).save(tmp_path / name)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix == ".png"}
    predictions = [predict(trained, decoder, tmp_path / name) for name in before]
    write_predictions(trained, predictions, tmp_path)
    for name, content in before.items():
        assert (tmp_path / name).read_bytes() == content, name
    assert len(list(tmp_path.glob("*.png"))) == 6
