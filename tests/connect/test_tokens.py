"""One log-in however many ask, shared by threads and processes, and no hammering with bad credentials."""

import os
import stat
import subprocess
import sys
import threading

import pytest

from hub.connect.tokens import FileCache, MemoryCache, Token, Tokens, fingerprint
from hub.errors import AuthenticationError


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["memory", "file"])
def cache(request, tmp_path, clock):
    return MemoryCache(clock) if request.param == "memory" else FileCache(tmp_path / "cache", clock)


def test_a_value_lives_as_long_as_it_was_given(cache, clock):
    cache.set("zoho/token", "abc", 10)
    assert cache.get("zoho/token") == "abc"
    clock.now += 10
    assert cache.get("zoho/token") is None
    assert cache.get("never/set") is None


def test_many_threads_fetch_once(cache):
    fetched = []
    ready = threading.Barrier(8)

    def fetch():
        fetched.append(1)
        return Token("token-value", 3600)

    got = []

    def work():
        ready.wait()
        got.append(Tokens(cache, "k", fetch).get())

    threads = [threading.Thread(target=work) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert got == ["token-value"] * 8 and len(fetched) == 1


def test_a_token_is_dropped_before_its_end_and_when_refused(cache, clock):
    numbers = iter(range(10))
    tokens = Tokens(cache, "k", lambda: Token(f"token-{next(numbers)}", 3600))
    assert tokens.get() == "token-0"
    clock.now += 3600 - 60
    assert tokens.get() == "token-1"
    tokens.refused("token-0")
    assert tokens.get() == "token-1", "somebody else's old token must not cost us the new one"
    tokens.refused("token-1")
    assert tokens.get() == "token-2"


def test_bad_credentials_are_not_tried_again_at_once(cache, clock):
    tried = []

    def fetch():
        tried.append(1)
        raise AuthenticationError("invalid client")

    for _ in range(3):
        with pytest.raises(AuthenticationError, match="invalid client"):
            Tokens(cache, "k", fetch).get()
    assert len(tried) == 1
    clock.now += 61
    with pytest.raises(AuthenticationError):
        Tokens(cache, "k", fetch).get()
    assert len(tried) == 2


def test_the_files_are_for_their_owner_only(tmp_path):
    cache = FileCache(tmp_path / "cache")
    cache.set("zoho/token", "abc", 10)
    with cache.lock("zoho/token"):
        modes = {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "cache").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_a_spoilt_file_is_no_value(tmp_path):
    cache = FileCache(tmp_path)
    cache.set("k", "abc", 10)
    next(tmp_path.glob("*.json")).write_text('{"key": "k", "val')
    assert cache.get("k") is None


def test_another_process_sees_the_value_and_respects_the_lock(tmp_path):
    cache = FileCache(tmp_path)
    cache.set("k", "from the parent", 60)
    code = (
        "import sys; from pathlib import Path; from hub.connect.tokens import FileCache\n"
        "from filelock import FileLock, Timeout\n"
        "cache = FileCache(Path(sys.argv[1])); print(cache.get('k'))\n"
        "lock = next(Path(sys.argv[1]).glob('*.lock'))\n"
        "try: FileLock(lock, timeout=0).acquire(); print('free')\n"
        "except Timeout: print('held')\n"
    )
    with cache.lock("k"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    assert done.stdout.split("\n")[:2] == ["from the parent", "held"]


def test_different_credentials_have_different_keys():
    assert fingerprint("id", "secret") != fingerprint("ids", "ecret")
    assert "secret" not in repr(Token("secret", 1))
