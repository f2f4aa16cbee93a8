"""API keys: 256 random bits each, stored only as a hash, several, named, with scopes, exchanged without a restart.

A line of the file, or of YUJING_KEYS, is what `yujing keys new` prints: `name  scope,scope  sha256`. A plain
SHA-256 is enough for a key that nobody can guess; slow hashes are for passwords.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from data.errors import ConfigError

SCOPES = ("score", "feedback", "admin")
PREFIX = "yj_"  # lets secret scanners find a key that was committed by mistake
ANONYMOUS = "anonymous"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH = re.compile(r"[0-9A-Fa-f]{64}")  # a name would stand in the logs
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECRET = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Key:
    """A caller: its name, what it may do, and the hash of its secret."""

    name: str
    scopes: tuple[str, ...]
    sha256: str

    @property
    def line(self) -> str:
        return f"{self.name}  {','.join(self.scopes)}  {self.sha256}"


def hash_key(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def new_key(name: str, scopes: Sequence[str]) -> tuple[str, Key]:
    """A new secret and the record to store; ConfigError for a bad name or scope."""
    secret = PREFIX + secrets.token_urlsafe(32)
    known = tuple(dict.fromkeys(",".join(scopes).split(",")))
    return secret, _checked(Key(name, known, hash_key(secret)), "the new key")


def read_key(line: str, place: str) -> Key:
    """Read one line; ConfigError says what is wrong with it, without hash or key: any of its words may be one."""
    parts = line.split()
    if len(parts) != 3:
        raise ConfigError(f"{place}: expected `name scope,scope sha256`: take the line of `yujing keys new`")
    return _checked(Key(parts[0], tuple(parts[1].split(",")), parts[2]), place, quoted=False)


def _checked(key: Key, place: str, quoted: bool = True) -> Key:
    """The key, if it will do; else ConfigError, which names a word by its position where it is not `quoted`."""
    if any(map(_SECRET.search, (key.name, *key.scopes, key.sha256))):  # else it would stand in the log, as a name
        raise ConfigError(f"{place}: holds a key itself: put the line of `yujing keys new` there, and exchange the key")
    if not _NAME.fullmatch(key.name) or key.name == ANONYMOUS or _HASH.fullmatch(key.name):
        said = f"name {key.name!r}" if quoted else "the first word is no name"
        raise ConfigError(f"{place}: {said}: use 1-64 of A-Z a-z 0-9 . _ - (no hash, and not {ANONYMOUS!r})")
    if unknown := sorted(set(key.scopes) - set(SCOPES)):
        said = f"unknown scope {unknown[0]!r}" if quoted else "unknown scope in the second word"
        raise ConfigError(f"{place}: {said}: use {', '.join(SCOPES)}")
    if not _SHA256.fullmatch(key.sha256):
        raise ConfigError(f"{place}: the third word must be a SHA-256 in lower-case hex: never the key itself")
    return key


def read_keys(text: str, source: str) -> tuple[Key, ...]:
    """Read lines; blank ones and those that begin with # are left out; ConfigError names the line."""
    return tuple(_read_lines(text, source))


def _read_lines(text: str, source: str) -> Iterator[Key]:
    names: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.strip().startswith("#"):
            key = read_key(line, f"{source}, line {number}")
            if key.name in names:
                raise ConfigError(f"{source}, line {number}: a second key named {key.name!r}: give it another name")
            names.add(key.name)
            yield key
