"""What every data set must do: samples as promised, the same every time, and a mirror that swaps left and right."""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partgraph.errors import PartGraphError
from partgraph.learning.dataset import Dataset, Sample
from partgraph.metrics import reconstruction_error
from partgraph.testing import words
from partgraph.testing.learning.options import check_options_come_from_a_file

_FEW = 8
_ARRAYS = ("image", "target", "world", "visible")
_OTHER_SIDE = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}


def _on_samples(check: Callable[[Dataset, Sample, int], None]) -> Callable[[Dataset], None]:
    """Turn ``check(dataset, sample, index)`` into a function of the data set, run on samples from anywhere in it."""

    @functools.wraps(check)
    def run(dataset: Dataset) -> None:
        @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.integers(0, len(dataset) - 1))
        def on(index: int) -> None:
            with words.explained(f"sample {index}"):
                check(dataset, dataset[index], index)

        on()

    return run


def _few(dataset: Dataset) -> list[Sample]:
    return [dataset[index] for index in range(min(_FEW, len(dataset)))]


# -- the object --------------------------------------------------------------------------------------------------


def check_names_are_well_formed(dataset: Dataset) -> None:
    """Parts and groups have distinct names; limbs join parts; the root is one of them; there is a sample."""
    parts = tuple(dataset.parts)
    for what, names in (("parts", parts), ("groups", tuple(dataset.groups))):
        assert all(isinstance(name, str) and name for name in names or [None]), (
            f"{what} have no names: {names!r}"
        )
        assert len(set(names)) == len(names), f"two {what} have one name: {names!r}"
    for limb in dataset.limbs:
        assert len(set(limb) & set(parts)) == 2, f"the limb {limb!r} does not join two parts"
    assert 0 <= dataset.root < len(parts), f"the root is {dataset.root}, but there are {len(parts)} parts"
    assert len(dataset) > 0, "there are no samples; give options that have some"


def check_a_mirror_swaps_left_and_right(dataset: Dataset) -> None:
    """``flip`` undoes itself, and exchanges parts whose names differ in left and right only."""
    parts, flip = tuple(dataset.parts), tuple(dataset.flip)
    assert sorted(flip) == list(range(len(parts))), f"flip is no order of the {len(parts)} parts: {flip}"
    for part, other in enumerate(flip):
        assert flip[other] == part, (
            f"flip takes {parts[part]!r} to {parts[other]!r}, but that to {parts[flip[other]]!r}; "
            "a picture mirrored twice is the picture"
        )
        swapped = re.sub("|".join(_OTHER_SIDE), lambda found: _OTHER_SIDE[found[0]], parts[part])
        if swapped != parts[part] and swapped in parts:
            assert parts[other] == swapped, (
                f"in a mirror {parts[part]!r} becomes {swapped!r}, but flip says {parts[other]!r}"
            )


# -- its samples -------------------------------------------------------------------------------------------------


def check_data_are_prepared(dataset: Dataset) -> None:
    """``prepare`` makes what is pending, says so, and leaves nothing."""
    pending, told = dataset.pending(), list[int]()
    dataset.prepare(0, told.append)
    assert sum(told) == pending, f"{pending} samples were pending, but prepare told of {sum(told)}"
    assert dataset.pending() == 0, f"{dataset.pending()} samples are pending after prepare"


@_on_samples
def check_images_are_square_bytes(dataset: Dataset, sample: Sample, index: int) -> None:
    """Images are (S, S, 3) uint8 from 0 to 255, all of one size."""
    image, side = sample.image, len(dataset[0].image)
    assert image.dtype == np.uint8, f"the image is {image.dtype}, expected uint8 from 0 to 255"
    assert image.shape == (side, side, 3), f"the image has shape {image.shape}, expected {(side, side, 3)}"
    assert image.max() > 1 or any(other.image.max() > 1 for other in _few(dataset)), (
        "no pixel is brighter than 1; was an image from 0 to 1 made bytes without multiplying it by 255?"
    )


@_on_samples
def check_truth_has_its_shape(dataset: Dataset, sample: Sample, index: int) -> None:
    """Target and world are (N, 3) float32, visible is (N,) bool, and the group is one of the groups."""
    n = len(dataset.parts)
    for name, shape, dtype in (
        ("target", (n, 3), np.float32),
        ("world", (n, 3), np.float32),
        ("visible", (n,), np.bool_),
    ):
        array = getattr(sample, name)
        assert array.shape == shape, f"{name} has shape {array.shape}, expected {shape}"
        assert array.dtype == dtype, f"{name} is {array.dtype}, expected {np.dtype(dtype)}"
    assert sample.group in dataset.groups, f"the group {sample.group!r} is none of {dataset.groups!r}"


@_on_samples
def check_unknown_is_not_a_number(dataset: Dataset, sample: Sample, index: int) -> None:
    """What is not known is NaN, never infinite; a place in the image is known as a whole, and so is one in space."""
    for name, axes in (("target", slice(0, 2)), ("world", slice(0, 3))):
        array = getattr(sample, name)
        assert not np.isinf(array).any(), f"{name} is infinite; what is not known is NaN"
        known = np.isfinite(array[:, axes])
        for part, own in zip(dataset.parts, known, strict=True):
            assert own.all() or not own.any(), (
                f"of the {name} of {part!r} some coordinates are known, others not"
            )


@_on_samples
def check_visible_parts_are_in_the_image(dataset: Dataset, sample: Sample, index: int) -> None:
    """A part that is seen has a place, inside the image."""
    side = len(sample.image)
    for part, at, seen in zip(dataset.parts, sample.target[:, :2], sample.visible, strict=True):
        if seen:
            assert ((at >= 0) & (at < side)).all(), (
                f"{part!r} is visible at {at}, outside the image of {side} px"
            )


@_on_samples
def check_depth_is_relative_to_the_root(dataset: Dataset, sample: Sample, index: int) -> None:
    """The root's depth is zero, where it is known."""
    depth = sample.target[dataset.root, 2]
    assert not abs(depth) > 1e-3, f"the root {dataset.parts[dataset.root]!r} is at depth {depth!r}"


def check_target_and_world_agree(dataset: Dataset) -> None:
    """In the image and in space the object is the same: no mirror image of it, left and right not exchanged."""
    samples = [sample for sample in _few(dataset) if sample.is_3d]
    if not samples:
        return
    world = np.stack([sample.world for sample in samples])
    target = np.stack([sample.target for sample in samples])
    size = float(np.linalg.norm(world - world.mean(1, keepdims=True), axis=-1).mean())
    right = float(np.mean(reconstruction_error(target, world)))
    mirrored = float(np.mean(reconstruction_error(target * [-1, 1, 1], world)))
    swapped = float(np.mean(reconstruction_error(target[:, list(dataset.flip)], world)))
    assert right <= mirrored + 1e-3 * size, (
        f"target is {right:.1f} mm from world after alignment, and mirrored only {mirrored:.1f} mm"
    )
    assert right <= swapped + 1e-3 * size, (
        f"target is {right:.1f} mm from world after alignment, and with left and right exchanged only {swapped:.1f} mm"
    )


# -- as a sequence -----------------------------------------------------------------------------------------------


@_on_samples
def check_samples_repeat(dataset: Dataset, sample: Sample, index: int) -> None:
    """A sample depends on the options and its index alone, not on what was asked before."""
    fresh = _anew(dataset)
    fresh[len(dataset) - 1]
    for again in (dataset[index], fresh[index]):
        assert _same(again, sample), "the same index of the same options gave another sample"


def check_the_end_is_an_error(dataset: Dataset) -> None:
    """An index beyond the last sample is an IndexError, without which loops over samples never end."""
    try:
        dataset[len(dataset)]
    except IndexError:
        return
    raise AssertionError(f"there are {len(dataset)} samples, but number {len(dataset)} is no IndexError")


def check_splits_are_disjoint(dataset: Dataset) -> None:
    """No picture is in two of the splits train, validation and test, for a data set with an option `split`."""
    if not hasattr(dataset, "split"):
        return
    own = {sample.image.tobytes() for sample in _few(dataset)}
    for split in ("train", "validation", "test"):
        if split == dataset.split:
            continue
        try:
            others = _few(_anew(dataset, split=split))
        except (ValueError, PartGraphError):  # there is no such split, or it needs files
            continue
        both = own & {sample.image.tobytes() for sample in others}
        assert not both, f"the split {split!r} shows {len(both)} of the same pictures"


def check_other_folders_are_not_recognised(dataset: Dataset) -> None:
    """``inspect`` of an empty folder is None."""
    with tempfile.TemporaryDirectory() as folder:
        found = type(dataset).inspect(Path(folder))
    assert found is None, f"an empty folder was taken for {found!r}"


def _anew(dataset: Any, **options: Any) -> Dataset:
    """Return the data set made again, with some options changed; one without options is returned as it is."""
    return attrs.evolve(dataset, **options) if attrs.has(type(dataset)) else dataset


def _same(one: Sample, other: Sample) -> bool:
    arrays = (
        np.array_equal(getattr(one, n), getattr(other, n), equal_nan=n in ("target", "world"))
        for n in _ARRAYS
    )
    return one.group == other.group and all(arrays)


CHECKS: tuple[Callable[[Dataset], None], ...] = (
    check_names_are_well_formed,
    check_a_mirror_swaps_left_and_right,
    check_data_are_prepared,
    check_images_are_square_bytes,
    check_truth_has_its_shape,
    check_unknown_is_not_a_number,
    check_visible_parts_are_in_the_image,
    check_depth_is_relative_to_the_root,
    check_target_and_world_agree,
    check_samples_repeat,
    check_the_end_is_an_error,
    check_splits_are_disjoint,
    check_other_folders_are_not_recognised,
    check_options_come_from_a_file,
)
"""All checks of a data set."""
