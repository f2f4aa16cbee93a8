"""Clients of the service: each keeps one connection and asks again as soon as it is answered."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

OK, REFUSED = 200, 503


@dataclass(frozen=True, slots=True)
class Answered:
    """One request: its status, and seconds from sending to the last byte."""

    status: int
    seconds: float


class Client:
    """One caller with one connection (http.client: about 0.15 ms a request, far less than richer clients)."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def ask(self, texts: Sequence[str]) -> Answered:
        body = json.dumps({"items": [{"text": text} for text in texts]}).encode()
        start = time.perf_counter()
        self._connection.request("POST", "/score", body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        response.read()
        return Answered(response.status, time.perf_counter() - start)


@dataclass(frozen=True, slots=True)
class Crowd:
    """What many clients saw: their answers, and seconds from the first request to the last answer."""

    answers: list[Answered]
    seconds: float

    @property
    def served(self) -> list[float]:
        return [one.seconds for one in self.answers if one.status == OK]

    @property
    def refused(self) -> list[float]:
        return [one.seconds for one in self.answers if one.status == REFUSED]


def ask_together(url: str, clients: int, requests: Sequence[Sequence[str]]) -> Crowd:
    """Share the requests out among clients that all ask at the same time."""

    def one(number: int) -> list[Answered]:
        client = Client(url)
        return [client.ask(texts) for texts in requests[number::clients]]

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        answers = [answer for part in pool.map(one, range(clients)) for answer in part]
    return Crowd(answers, time.perf_counter() - start)
