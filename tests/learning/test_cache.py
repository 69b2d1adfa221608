"""Records on disk: made once, whole or missing, whatever interrupts the making."""

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from partgraph.errors import PartGraphError
from partgraph.learning.cache import CacheError, RecordCache, default_cache_folder, recipe_digest

TYPE = np.dtype([("number", np.int64), ("square", np.float32, (3,))])


def make(index):
    return {"number": index, "square": [index**2, index, 1]}


class Stop(Exception):
    pass


def make_until(limit):
    made = []

    def maker(index):
        if len(made) == limit:
            raise Stop
        made.append(index)
        return make(index)

    return maker


def contents(cache):
    return cache.records.tobytes()


@pytest.fixture
def cache(tmp_path):
    return RecordCache(tmp_path / "deep" / "records.npy", TYPE, 50)


def test_a_new_file_has_everything_missing(cache):
    assert len(cache) == 50
    assert cache.path.exists()
    np.testing.assert_array_equal(cache.missing(), np.arange(50))


def test_fill_makes_every_record_and_tells(cache):
    told = []
    cache.fill(make, advance=told.append)
    assert sum(told) == 50
    assert len(told) > 1
    assert len(cache.missing()) == 0
    np.testing.assert_array_equal(cache.records["number"], np.arange(50))
    np.testing.assert_array_equal(cache.records["square"][:, 0], np.arange(50) ** 2)


def test_get_makes_one_record_once(cache):
    calls = []

    def counting(index):
        calls.append(index)
        return make(index)

    for _ in range(3):
        assert cache.get(7, counting)["number"] == 7
    assert calls == [7]
    np.testing.assert_array_equal(cache.missing(), np.delete(np.arange(50), 7))


def test_what_is_got_is_a_copy(cache):
    record = cache.get(3, make)
    record["square"][:] = -1
    assert cache.get(3, make)["square"].tolist() == [9, 3, 1]


@pytest.mark.parametrize("stop", [0, 1, 15, 16, 17, 49])
def test_interrupted_filling_goes_on_and_ends_alike(tmp_path, stop):
    whole, broken = (RecordCache(tmp_path / name, TYPE, 50) for name in ("whole", "broken"))
    whole.fill(make)
    with pytest.raises(Stop):
        broken.fill(make_until(stop))
    assert len(broken.missing()) == 50 - stop
    again = RecordCache(tmp_path / "broken", TYPE, 50)
    left = []

    def counting(index):
        left.append(index)
        return make(index)

    again.fill(counting)
    assert left == list(range(stop, 50))
    assert contents(again) == contents(whole)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "broken").read_bytes()


def test_a_killed_process_leaves_whole_records(tmp_path):
    """Killed without warning while it writes records; every one that counts is whole, and the rest can be made."""
    code = textwrap.dedent(
        """
        import sys, numpy as np
        from partgraph.learning.cache import RecordCache
        cache = RecordCache(sys.argv[1], np.dtype([("image", np.uint8, (90, 90, 3)), ("last", np.int64)]), 3000)
        cache.fill(lambda index: {"image": index % 251, "last": index}, advance=lambda made: print("more", flush=True))
        """
    )
    path = tmp_path / "records.npy"
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    for _ in range(3):
        assert process.stdout.readline() == "more\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    kind = np.dtype([("image", np.uint8, (90, 90, 3)), ("last", np.int64)])
    cache = RecordCache(path, kind, 3000)
    done = np.flatnonzero(cache.records["done"])
    assert 48 <= len(done) < 3000
    for index in done:
        assert (cache.records["image"][index] == index % 251).all()
        assert cache.records["last"][index] == index
    cache.fill(lambda index: {"image": index % 251, "last": index})
    assert len(cache.missing()) == 0
    np.testing.assert_array_equal(cache.records["last"], np.arange(3000))


def test_threads_and_this_process_agree(tmp_path):
    one, other = (RecordCache(tmp_path / name, TYPE, 50) for name in ("one", "other"))
    one.fill(make)
    told = []
    with ThreadPoolExecutor(3) as executor:
        other.fill(make, executor, told.append)
    assert sum(told) == 50
    assert contents(one) == contents(other)


def test_an_error_elsewhere_comes_here_and_keeps_what_was_made(cache):
    def maker(index):
        if index == 20:
            raise Stop
        return make(index)

    with ThreadPoolExecutor(1) as executor, pytest.raises(Stop):
        cache.fill(maker, executor)
    assert 20 in cache.missing()
    assert not set(range(16)) & set(cache.missing().tolist())


@pytest.mark.parametrize("workers", [0, 1])
def test_a_record_counts_once_all_its_fields_are_written(cache, workers):
    def half(index):
        return {"number": index, "square": [1, 2]}  # the second field does not fit

    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="broadcast"):
        cache.fill(half, executor if workers else None)
    assert 0 in cache.missing()
    cache.fill(make)
    assert cache.records["square"][0].tolist() == [0, 0, 1]


def test_two_views_of_one_file_see_each_other(tmp_path):
    first, second = (RecordCache(tmp_path / "records", TYPE, 5) for _ in range(2))
    first.get(2, make)
    assert second.missing().tolist() == [0, 1, 3, 4]
    assert second.get(2, make_until(0))["square"].tolist() == [4, 2, 1]


@pytest.mark.parametrize(
    ("kind", "count"),
    [(TYPE, 49), (TYPE, 51), (np.dtype([("number", np.int64)]), 50), (np.dtype([("number", np.int32)]), 50)],
)
def test_a_file_of_another_shape_is_refused(cache, kind, count):
    cache.fill(make)
    before = cache.path.read_bytes()
    with pytest.raises(CacheError, match="delete the file") as caught:
        RecordCache(cache.path, kind, count)
    assert str(cache.path) in str(caught.value)
    assert isinstance(caught.value, PartGraphError)
    assert cache.path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "records.npy"
    path.write_bytes(content)
    with pytest.raises(CacheError, match=r"records\.npy .*delete the file"):
        RecordCache(path, TYPE, 50)


def test_of_a_truncated_file_only_what_was_cut_off_is_made_again(cache):
    cache.fill(make)
    path, whole = cache.path, contents(cache)
    del cache
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 10 * (len(whole) // 50) - 3])
    again = RecordCache(path, TYPE, 50)
    np.testing.assert_array_equal(again.missing(), np.arange(39, 50))
    again.fill(make)
    assert contents(again) == whole


def test_digest_depends_on_values_not_on_order():
    assert recipe_digest({"a": 1, "b": [2.5]}) == recipe_digest({"b": [2.5], "a": 1})
    digests = {recipe_digest(r) for r in ({"a": 1}, {"a": 2}, {"b": 1}, {"a": "1"}, {"a": [1]})}
    assert len(digests) == 5


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("PARTGRAPH_CACHE", str(tmp_path / "chosen"))
    assert default_cache_folder() == tmp_path / "chosen"
    monkeypatch.delenv("PARTGRAPH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_cache_folder() == tmp_path / "xdg" / "partgraph"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_cache_folder() == tmp_path / "home" / ".cache" / "partgraph"
