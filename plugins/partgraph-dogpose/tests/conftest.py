"""Shared by the tests of the dog: one thread, a cache of their own, and the dog."""

import pytest
import torch
from partgraph_dogpose.figure.body import load_dog


@pytest.fixture(autouse=True, scope="session")
def single_thread():
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PARTGRAPH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def dog():
    return load_dog()
