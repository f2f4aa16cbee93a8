"""One thread that asks the service: at times of its own (open loop), or again as soon as it is answered (closed loop).

    python tests/soak_client.py URL OUT --key KEY --seconds 600 --rate 90    # 90 requests a second on average (Poisson)
    python tests/soak_client.py URL OUT --key KEY --seconds 15 --clients 16  # 16 that never pause: the capacity

OUT gets a JSON line for every request: when it was due and how long it took from then on, the status (0 = no answer),
whether a refusal said when to come back, and the prediction ids of an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import aiohttp

from data.samples import sample_examples

POSTS, WEIGHTS = (1, 4, 16), (80, 15, 5)  # items of a request
WAIT = aiohttp.ClientTimeout(total=60)
OK, PAUSE = 200, 0.1
COUNTS = [2, 3, 1, 4, 8, 13, 9, 11, 21]


@dataclass(frozen=True, slots=True)
class Load:
    """Where to ask, for how long, where to write."""

    url: str
    key: str
    seconds: float
    out: TextIO


def bodies(seed: int) -> Iterator[str]:
    """Requests without end, no text twice; every fifth item has a volume too."""
    chance, texts, number = random.Random(seed), [row.text for row in sample_examples()], 0
    while True:
        items: list[dict[str, Any]] = []
        for _ in range(chance.choices(POSTS, WEIGHTS)[0]):
            number += 1
            items.append({"text": f"{chance.choice(texts)}{seed}-{number}"})
            if number % 5 == 0:
                items[-1]["volume"] = {"as_of": "2026-03-15T12:00:00+08:00", "counts": COUNTS}
        yield json.dumps({"items": items})


async def ask(session: aiohttp.ClientSession, load: Load, body: str, due: float, start: float) -> int:
    """One request, and its line; its status."""
    loop, ids, wait, status = asyncio.get_running_loop(), [], False, 0
    try:
        async with session.post("/score", data=body, headers={"Idempotency-Key": f"{start}-{due}"}) as response:
            answer = await response.read()
            status, wait = response.status, "Retry-After" in response.headers
            ids = [result["prediction_id"] for result in json.loads(answer)] if status == OK else []
    except (TimeoutError, aiohttp.ClientError):
        status = 0
    seconds = loop.time() - start - due
    load.out.write(json.dumps({"due": due, "seconds": seconds, "status": status, "wait": wait, "ids": ids}) + "\n")
    return status


async def open_loop(session: aiohttp.ClientSession, load: Load, rate: float) -> None:
    """Ask `rate` times a second on average, whatever the answers; who waits for answers hides an overload."""
    loop, chance, more = asyncio.get_running_loop(), random.Random(0), bodies(0)
    start, due = loop.time(), chance.expovariate(rate)
    async with asyncio.TaskGroup() as asked:
        while due < load.seconds:
            await asyncio.sleep(max(0.0, start + due - loop.time()))
            asked.create_task(ask(session, load, next(more), due, start))
            due += chance.expovariate(rate)


async def closed_loop(session: aiohttp.ClientSession, load: Load, clients: int) -> None:
    """`clients` that each ask again at once, a refused one after PAUSE."""
    loop = asyncio.get_running_loop()
    start = loop.time()

    async def one(number: int) -> None:
        more = bodies(number + 1)
        while (due := loop.time() - start) < load.seconds:
            if await ask(session, load, next(more), due, start) != OK:
                await asyncio.sleep(PAUSE)

    async with asyncio.TaskGroup() as asked:
        for number in range(clients):
            asked.create_task(one(number))


async def run(load: Load, way: Callable[[aiohttp.ClientSession, Load], Any]) -> None:
    """All requests over connections that are kept."""
    headers = {"Content-Type": "application/json", "X-API-Key": load.key}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(load.url, headers=headers, connector=connector, timeout=WAIT) as session:
        await way(session, load)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("out", type=Path)
    parser.add_argument("--key", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--rate", type=float)
    way.add_argument("--clients", type=int)
    given = parser.parse_args()
    gc.freeze()
    with given.out.open("w", encoding="utf-8") as out:
        load = Load(given.url, given.key, given.seconds, out)
        if given.rate:
            asyncio.run(run(load, lambda session, load: open_loop(session, load, given.rate)))
        else:
            asyncio.run(run(load, lambda session, load: closed_loop(session, load, given.clients)))


if __name__ == "__main__":
    main()
