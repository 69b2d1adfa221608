"""Voxels: where they lie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from partgraph_volumetric.volume import Volume


def test_the_papers_volume():
    volume = Volume()
    assert (volume.size, volume.stride, volume.bins, volume.cells) == (320, 16, 20, 20)
    assert volume.centers().shape == (8000, 3)


@given(cells=st.integers(1, 6), stride=st.integers(1, 9), bins=st.integers(1, 7))
def test_centers_by_hand(cells, stride, bins):
    volume = Volume(cells * stride, stride, bins)
    assert volume.cells == cells
    centers = volume.centers()
    assert centers.dtype == np.float32
    k = 0
    for z in range(bins):
        for y in range(cells):
            for x in range(cells):
                expected = [(x + 0.5) * stride, (y + 0.5) * stride, (z + 0.5 - bins / 2) * stride]
                np.testing.assert_allclose(centers[k], expected, rtol=1e-6)
                k += 1
    assert k == len(centers)


def test_the_root_is_in_the_middle_of_the_cube():
    volume = Volume(128, 8, 16)
    np.testing.assert_allclose(volume.centers().mean(0), [64, 64, 0], atol=1e-4)
    np.testing.assert_allclose(volume.origin, [0, 0, -64])
    np.testing.assert_allclose(volume.centers().min(0) - 4, volume.origin)


@pytest.mark.parametrize("options", [(100, 16, 20), (320, 0, 20), (320, 16, 0), (-320, 16, 20)])
def test_wrong_volumes_are_refused(options):
    with pytest.raises(ValueError, match=r"multiple of the stride|must be > 0"):
        Volume(*options)
