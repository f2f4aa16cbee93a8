"""uvicorn's parser of HTTP, to which an Upgrade header is a header like any other: a server may ignore it (RFC 9110).

httptools takes what follows such a head for another protocol and drops the body. Java's HttpClient sends the header
with every first request (h2c), so each of its posts was empty: a 400, or a reload of another bundle than was asked for.
"""

from __future__ import annotations

from array import array
from typing import Protocol

from httptools import HttpParserUpgrade, HttpRequestParser


class Reader(Protocol):
    """Who is told what was parsed, and keeps it."""

    url: bytes
    headers: list[tuple[bytes, bytes]]


class Parser(HttpRequestParser):
    """Reads the head of a request that asks for another protocol a second time, without that wish."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self._reader = reader

    @property
    def again(self) -> bool:
        """Whether the head just read will be read once more, so that nothing of it counts."""
        return self.should_upgrade() and self.get_method() != b"CONNECT"

    def feed_data(self, data: bytes | bytearray | memoryview | array[int]) -> None:
        """As httptools', for all requests in `data`."""
        rest = memoryview(data)
        while True:
            try:
                return super().feed_data(rest)
            except HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
            super().feed_data(self._head())

    def _head(self) -> bytes:
        method, version = self.get_method(), self.get_http_version().encode()
        kept = [b"%s: %s\r\n" % pair for pair in self._reader.headers if pair[0] != b"upgrade"]
        return b"%s %s HTTP/%s\r\n%s\r\n" % (method, self._reader.url, version, b"".join(kept))
