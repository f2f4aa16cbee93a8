"""The API keys that are valid now, exchanged without a restart."""

from __future__ import annotations

import hmac
import logging
from pathlib import Path
from threading import Lock

from data.errors import ConfigError
from serving.gate.keys import Key, hash_key, read_keys
from serving.settings import Settings, named

logger = logging.getLogger("bentoml.yujing.keys")


class KeyRing:
    """The keys that are valid now; the file is read again when it has changed (one `stat` per request)."""

    def __init__(self, file: Path | None, text: str | None) -> None:
        """ConfigError for an unreadable line, a name in both sources, or when a source is named that holds no key."""
        self._file, self._place = file, f"{file} ({named('keys_file')})"
        self._named = file is not None or bool(text)
        self._fixed = read_keys(text.replace(";", "\n"), "YUJING_KEYS") if text else ()
        self._stamp = self._look()
        self._read = self._load()
        self._lock = Lock()
        if self.configured and not (self._fixed or self._read):
            place = self._place if file else "YUJING_KEYS"
            raise ConfigError(f"{place}: no key in it: add a line of `yujing keys new`")

    @classmethod
    def of(cls, settings: Settings) -> KeyRing:
        """The keys that the settings name; ConfigError when keys and `anonymous` are both wanted."""
        ring = cls(settings.keys_file, settings.keys)
        if ring.configured and settings.anonymous:
            raise ConfigError("YUJING_ANONYMOUS with keys: take one of them away; with keys nobody calls without one")
        return ring

    @property
    def configured(self) -> bool:
        """Whether a caller must have a key at all: where a source is named. A file that was emptied lets nobody in."""
        return self._named

    def find(self, secret: str) -> Key | None:
        """The key with this secret; every hash is compared, in constant time."""
        self._refresh()
        wanted = hash_key(secret)
        matches = [key for key in (*self._fixed, *self._read) if hmac.compare_digest(key.sha256, wanted)]
        return matches[0] if matches else None

    def _look(self) -> tuple[int, ...] | None:
        """What tells a changed file; its last part also that it may be read now, which changes nothing else."""
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns

    def _load(self) -> tuple[Key, ...]:
        if self._file is None:
            return ()
        try:
            found = read_keys(self._file.read_text(encoding="utf-8-sig"), self._place)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise ConfigError(f"{self._place}: {reason}: name a file of `yujing keys new` lines") from None
        if both := {key.name for key in found} & {key.name for key in self._fixed}:
            raise ConfigError(f"{self._place}: {min(both)!r} stands in YUJING_KEYS too: give one of them another name")
        return found

    def _refresh(self) -> None:
        """Read a changed file; if it is unusable, the last good keys stay valid and the log says so."""
        with self._lock:
            stamp = self._look()
            if stamp == self._stamp:
                return
            self._stamp = stamp
            try:
                self._read = self._load()
                logger.info("API keys read again", extra={"keys": len(self._read)})
            except ConfigError as error:
                logger.error("API keys not read again, the last good ones stay: %s", error)
