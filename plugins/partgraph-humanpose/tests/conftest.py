"""Shared by the tests of the human-pose plugin: one thread, and a cache of their own."""

import pytest
import torch
from partgraph_humanpose.figure.body import load_body


@pytest.fixture(autouse=True, scope="session")
def single_thread():
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PARTGRAPH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def body():
    return load_body()
