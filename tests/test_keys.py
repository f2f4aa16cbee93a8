"""API keys: stored as hashes only, read strictly, exchanged while the service runs."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from data.errors import ConfigError
from serving.cli import app
from serving.gate.key_ring import KeyRing
from serving.gate.keys import SCOPES, Key, new_key, read_key, read_keys
from serving.settings import Settings


def write(path: Path, *keys: Key, stamp: int) -> None:
    path.write_text("".join(f"{key.line}\n" for key in keys), encoding="utf-8")
    os.utime(path, (stamp, stamp))  # a test is faster than a file system's clock


HASH = hashlib.sha256(b"a key").hexdigest()


def refused(*_: object, **__: object) -> str:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@given(st.lists(st.sampled_from(SCOPES), min_size=1))
def test_a_line_is_read_as_it_was_written(scopes: list[str]) -> None:
    secret, key = new_key("desk-1", scopes)
    assert read_key(key.line, "here") == key
    assert secret not in key.line
    assert len(secret) >= 43  # 256 bits


def test_no_two_keys_are_alike() -> None:
    assert len({new_key("a", ["score"])[0] for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("desk score", "expected `name scope,scope sha256`"),
        ("desk score " + "0" * 64 + " feedback", "expected `name scope,scope sha256`"),
        ("desk read " + "0" * 64, "unknown scope in the second word: use score"),
        (f"desk {HASH} score", "unknown scope in the second word"),
        (f"desk score,{HASH} {HASH}", "unknown scope in the second word"),
        (f"{HASH} score desk", "the first word is no name"),
        (f"{HASH.upper()} score {HASH}", "the first word is no name"),
        (f"sha256:{HASH} score desk", "the first word is no name"),
        ("desk score yj_secret", "SHA-256"),
        ("desk score " + "A" * 64, "SHA-256"),
        ("客服 score " + "0" * 64, "name"),
        ("anonymous score " + "0" * 64, "name"),
    ],
)
def test_a_bad_line_is_named_without_its_secret(line: str, says: str) -> None:
    with pytest.raises(ConfigError, match=r"k\.txt, line 2") as raised:
        read_keys(f"# keys\n{line}\n", "k.txt")
    assert says in str(raised.value)
    assert "yj_secret" not in str(raised.value)
    assert HASH[:8] not in str(raised.value).lower()


@pytest.mark.parametrize("line", ["{0} score {1}", "desk {0} {1}", "desk score {0}", "desk score,{0} {1}"])
def test_a_key_in_the_place_of_its_line_is_not_told_on(line: str) -> None:
    """The log has what is said of a file that changed, and the name of each caller."""
    secret, key = new_key("desk", ["score"])
    with pytest.raises(ConfigError, match=r"k\.txt, line 1: holds a key itself: .* exchange") as raised:
        read_keys(line.format(secret, key.sha256), "k.txt")
    assert secret not in str(raised.value)


def test_a_name_stands_for_one_key() -> None:
    line = new_key("desk", ["score"])[1].line
    with pytest.raises(ConfigError, match="second key named 'desk'"):
        read_keys(f"{line}\n{line}\n", "k.txt")


def test_keys_of_file_and_environment_are_found(tmp_path: Path) -> None:
    (first, desk), (second, press) = new_key("desk", ["score"]), new_key("press", ["feedback", "admin"])
    write(tmp_path / "k", desk, stamp=1)
    ring = KeyRing.of(Settings(keys_file=tmp_path / "k", keys=f"{press.line};{new_key('other', ['score'])[1].line}"))
    assert (ring.find(first), ring.find(second), ring.find("yj_no"), ring.find("")) == (desk, press, None, None)


def test_a_hash_counts_with_all_its_digits() -> None:
    secret, key = new_key("desk", ["score"])
    for place in (0, 63):
        other = "1" if key.sha256[place] == "0" else "0"
        alike = Key("desk", ("score",), key.sha256[:place] + other + key.sha256[place + 1 :])
        assert KeyRing(None, alike.line).find(secret) is None


def test_the_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path, (old, desk), (new, again) = tmp_path / "k", new_key("desk", ["score"]), new_key("desk", ["score"])
    write(path, desk, stamp=1)
    ring = KeyRing(path, None)
    write(path, again, stamp=2)
    assert (ring.find(old), ring.find(new)) == (None, again)
    path.write_text("half a li", encoding="utf-8")
    assert ring.find(new) == again  # the last good ones stay
    path.unlink()
    assert ring.find(new) == again
    write(path, stamp=3)
    assert ring.find(new) is None  # emptied: nobody, not anybody
    assert ring.configured


def test_a_file_that_could_not_be_read_at_first_is_read_once_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was written by root, say, and given to the service afterwards, which changes neither time nor size."""
    path, (old, desk), (new, again) = tmp_path / "k", new_key("desk", ["score"]), new_key("desk", ["score"])
    write(path, desk, stamp=1)
    ring = KeyRing(path, None)
    write(path, again, stamp=2)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refused)
        assert ring.find(old) == desk
    time.sleep(0.05)  # the file system's clock
    path.chmod(0o600)
    assert (ring.find(old), ring.find(new)) == (None, again)


@pytest.mark.parametrize("content", [None, "", "# nothing\n"])
def test_a_source_without_a_key_is_refused_at_the_start(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "k").write_text(content)
    with pytest.raises(ConfigError, match=r"k \(YUJING_KEYS_FILE or --keys\): (No such file|no key in it)"):
        KeyRing(tmp_path / "k", None)


@pytest.mark.parametrize("text", ["# keys to come", "# one;# two", " ", ";"])
def test_a_variable_without_a_key_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ConfigError, match="YUJING_KEYS: no key in it"):
        KeyRing(None, text)


def test_a_name_stands_for_one_key_in_both_sources_together(tmp_path: Path) -> None:
    path, fixed, (secret, press) = tmp_path / "k", new_key("desk", ["score"])[1], new_key("press", ["score"])
    write(path, press, fixed, stamp=1)
    with pytest.raises(ConfigError, match="'desk' stands in YUJING_KEYS too"):
        KeyRing(path, fixed.line)
    write(path, press, stamp=2)
    ring = KeyRing(path, fixed.line)
    other_secret, other = new_key("desk", ["admin"])
    write(path, other, stamp=3)
    assert (ring.find(secret), ring.find(other_secret)) == (press, None)  # the last good ones stay


def test_keys_and_anonymous_contradict_each_other() -> None:
    with pytest.raises(ConfigError, match="YUJING_ANONYMOUS"):
        KeyRing.of(Settings(keys=new_key("desk", ["score"])[1].line, anonymous=True))


def test_the_command_shows_the_key_once_and_its_line_for_the_file() -> None:
    done = CliRunner().invoke(app, ["keys", "new", "desk", "--scope", "score", "--scope", "feedback"])
    assert done.exit_code == 0
    secret = done.stderr.splitlines()[-1]
    ring = KeyRing(None, done.stdout)
    found = ring.find(secret)
    assert found is not None
    assert (found.name, found.scopes) == ("desk", ("score", "feedback"))
    assert secret not in done.stdout


@pytest.mark.parametrize(
    ("name", "scope", "says"),
    [("desk 1", "score", "name 'desk 1'"), ("", "score", "name ''"), ("desk", "score feedback", "'score feedback'")],
)
def test_the_command_names_what_cannot_be_in_a_line(name: str, scope: str, says: str) -> None:
    """It told who ran `yujing keys new` to take the line of `yujing keys new`."""
    done = CliRunner().invoke(app, ["keys", "new", name, "--scope", scope])
    assert says in str(done.exception)
    assert not done.stdout
