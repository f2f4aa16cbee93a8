"""The service against the bare scorer and peers around the same one: latency, throughput, start, memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from data.records import Item
from models.scorer import Scorer
from serving.benchmarks.clients import Client, Crowd, ask_together
from serving.benchmarks.clock import Spread, percentile, pin, spend, usable
from serving.benchmarks.peer_process import PEERS, missing, serving
from serving.benchmarks.texts import short_texts
from serving.process import running

TURN = 25  # requests of one contender in a row
CLIENTS = 32
POSTS = 16  # of each request of the crowd that sends many at once
EXCESS = 96  # clients, where the service takes 64 requests
SHIPPED = {"YUJING_THREADS": "1", "YUJING_RATE": "0"}  # one core, and all clients are one caller: no rate for it
READING = {**SHIPPED, "YUJING_REMEMBERED": "0"}  # posts come again here, and each is to be read
PEERLIKE = {**READING, "YUJING_PATIENCE": "0"}  # the peers refuse nobody, however long it takes
TURNS = 3  # of each server with a crowd
SERVICE, BARE = "yujing serve", "Scorer.score"


def run_service(load: Callable[[], Scorer], bundle: Path | None, requests: int, rounds: int) -> dict[str, Any]:
    """Scorer and servers, each of one thread, share the first core that this process may use; clients take the others.

    They take turns, so none slows another down. Peers are compared with the service that refuses nobody; what it does
    with more than it can take is asked of one as it is shipped.
    """
    own = {"YUJING_BUNDLE": str(bundle.absolute())} if bundle else {}
    cores = usable()
    pin(cores[:1])  # what is started or loaded now stays there
    scorer = load()
    absent = {name: reason for name, peer in PEERS.items() if (reason := missing(peer))}
    with ExitStack() as stack:
        ours = stack.enter_context(running(PEERLIKE | own))
        urls = {SERVICE: ours.url}
        for name in (name for name in PEERS if name not in absent):
            urls[name] = stack.enter_context(serving(PEERS[name], bundle))
        pin(cores[1:] or cores)
        found = {
            "cores": len(cores),
            "left_out": absent,
            "seconds_to_ready": round(ours.ready_seconds, 2),
            "resident_mb": _resident(ours.pid),
            "one_client": _one_client(scorer, urls, cores, requests),
            "clients": _crowds(urls, requests, min(rounds, TURNS)),
            "bare": _bare_throughput(scorer, cores, requests),
            "resident_mb_after": _resident(ours.pid),
        }
    return found | {"shipped": _as_shipped(own, cores, requests), "reposts": _reposts(own, cores, requests)}


def _as_shipped(own: dict[str, str], cores: list[int], requests: int) -> dict[str, Any]:
    """The service with its own patience: a crowd that it can take, one that it cannot, and the time after a burst."""
    pin(cores[:1])
    with running(READING | own) as ours:
        pin(cores[1:] or cores)
        return {
            "after_burst": _after_burst(ours.url),
            "clients": _crowds({SERVICE: ours.url}, requests, 1)[SERVICE],
            "overload": _overload(ours.url),
        }


def _reposts(own: dict[str, str], cores: list[int], requests: int) -> dict[str, Any]:
    """Posts that come a second time: milliseconds of one client, and a crowd that asks for nothing else."""
    pin(cores[:1])
    texts = short_texts(requests)
    with running(SHIPPED | own) as ours:
        pin(cores[1:] or cores)
        client = Client(ours.url)
        first, again = ([client.ask([text]).seconds for text in texts] for _ in range(2))
        crowd = ask_together(ours.url, CLIENTS, [[text] for text in texts])
    return {"first": _milliseconds(first), "again": _milliseconds(again), "crowd": _crowd([crowd], 1)}


def _resident(supervisor: int) -> int:
    """MB of the worker: the largest process of the service."""
    family = psutil.Process(supervisor).children(recursive=True)
    return max(int(process.memory_info().rss) for process in family) >> 20


def _one_client(scorer: Scorer, urls: dict[str, str], cores: list[int], requests: int) -> dict[str, Any]:
    """Milliseconds of one short post, in turns; the bare call runs on the server's core."""
    texts = short_texts(requests)
    asks: dict[str, Callable[[str], float]] = {BARE: lambda text: spend(lambda: scorer.score([Item(text=text)])).wall}
    for name, url in urls.items():
        asks[name] = _asker(Client(url))
    seconds: dict[str, list[float]] = {name: [] for name in asks}
    for start in range(0, requests, TURN):
        for name, ask in asks.items():
            pin(cores[:1] if name == BARE else cores[1:] or cores)
            seconds[name] += [ask(text) for text in texts[start : start + TURN]]
    return {name: _milliseconds(values[TURN:] or values) for name, values in seconds.items()}


def _asker(client: Client) -> Callable[[str], float]:
    return lambda text: client.ask([text]).seconds


def _milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: round(1000 * percentile(seconds, share), 2) for name, share in shares.items()}


def _crowds(urls: dict[str, str], requests: int, turns: int) -> dict[str, Any]:
    """What 32 clients see who send one post each, and who send 16, by server; another one begins each turn."""
    found: dict[str, Any] = {name: {} for name in urls}
    for posts, label in ((1, "one post each"), (POSTS, f"{POSTS} posts each")):
        count = requests * (1 if posts == 1 else POSTS // 4)
        texts = short_texts(count * turns)
        seen: dict[str, list[Crowd]] = {name: [] for name in urls}
        for turn in range(turns):
            mine = texts[turn * count : (turn + 1) * count]
            asks = [mine[start : start + posts] for start in range(0, count, posts)]
            for name in [*urls][turn % len(urls) :] + [*urls][: turn % len(urls)]:
                seen[name].append(ask_together(urls[name], CLIENTS, asks))
        for name, crowds in seen.items():
            found[name][label] = _crowd(crowds, posts)
    return found


def _crowd(crowds: Sequence[Crowd], posts: int) -> dict[str, Any]:
    served = [seconds for crowd in crowds for seconds in crowd.served]
    rates = [len(crowd.served) * posts / crowd.seconds for crowd in crowds]
    figures = {"posts_per_second": asdict(Spread.of(rates)), "served": len(served)}
    refused = sum(len(crowd.refused) for crowd in crowds)
    return figures | {"refused": refused, "ms": _milliseconds(served) if served else {}}


def _bare_throughput(scorer: Scorer, cores: list[int], requests: int) -> dict[str, Any]:
    """Posts per second of the scorer on the server's core: one by one, and all in one call."""
    pin(cores[:1])
    items = [Item(text=text) for text in short_texts(requests)]
    alone = [requests / spend(lambda: [scorer.score([item]) for item in items]).wall for _ in range(3)]
    together = [requests / spend(lambda: scorer.score(items)).wall for _ in range(3)]
    pin(cores[1:] or cores)
    return {"one by one": asdict(Spread.of(alone)), "in one call": asdict(Spread.of(together))}


def _after_burst(url: str) -> dict[str, Any]:
    """One client's requests right after a burst of all the service takes: are they as fast as before it?"""
    client, texts = Client(url), short_texts(40)
    before = [client.ask([text]).seconds for text in texts]
    ask_together(url, CLIENTS, [[text] for text in short_texts(4 * CLIENTS)])
    after = [client.ask([text]).seconds for text in texts]
    return {"before": _milliseconds(before), "after": _milliseconds(after)}


def _overload(url: str) -> dict[str, Any]:
    """More clients than the service takes: how fast are the excess refused and the others served?"""
    crowd = ask_together(url, EXCESS, [[text] for text in short_texts(8 * EXCESS)])
    ms = {"served_ms": crowd.served, "refused_ms": crowd.refused}
    counts = {"clients": EXCESS, "served": len(crowd.served), "refused": len(crowd.refused)}
    return counts | {name: _milliseconds(values) if values else {} for name, values in ms.items()}
