"""Shared by the tests of the volumetric network: one thread."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def single_thread():
    torch.set_num_threads(1)
