"""Score on a Ray cluster: the same windows, shards, manifest and rejects, the scorer in a pool of actors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from data.errors import ConfigError
from serving.batch.pools import AHEAD, ONE_THREAD, RETRIES, Done, Load, WorkersLostError
from serving.batch.shard import make_shard
from serving.batch.windows import Window
from serving.scoring import SupportsScore

# A cluster of this machine alone, for a trial: it listens on localhost only.
LOCAL = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}


class Worker:
    """One actor: a scorer of one thread, loaded with the first window."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._scorer: SupportsScore | None = None

    def work(self, window: Window, kind: str) -> bytes:
        """The bytes of the window's shard."""
        self._scorer = self._scorer or self._load()
        return make_shard(self._scorer, window.rows, kind)


@dataclass(frozen=True)
class RayActors:
    """`count` actors (0: one per CPU of the cluster) at `address` (`auto`, `ray://host:10001`, `local`).

    Every machine needs the same Yujing, the bundle at the same path, and the arithmetic of this one (all with bfloat16
    or none): a post on another CPU is answered with other last digits. An actor that dies is started anew, on
    another machine if need be, and its windows are scored again. ConfigError: no Ray, or no cluster there.
    """

    load: Load
    address: str
    count: int = 0

    def run(self, windows: Iterator[Window], kind: str) -> Iterator[Done]:
        ray = _connect(self.address)
        try:
            count = self.count or max(1, int(ray.cluster_resources().get("CPU", 1)))
            actor = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=RETRIES)(Worker)
            yield from _spread(ray, [actor.remote(self.load) for _ in range(count)], windows, kind)
        except ray.exceptions.RayActorError as error:
            raise WorkersLostError(
                f"a window was lost {RETRIES + 1} times with its actor ({type(error).__name__}): look at Ray's log; "
                "the run goes on where it was when it is repeated"
            ) from None
        finally:
            ray.shutdown()


def _connect(address: str) -> Any:
    try:
        import ray
    except ImportError:
        raise ConfigError("--ray needs Ray: pip install 'yujing[cluster]'") from None
    own = LOCAL if address == "local" else {}
    try:
        ray.init(address, runtime_env={"env_vars": ONE_THREAD}, log_to_driver=False, logging_level="warning", **own)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(f"--ray {address}: {error}: give the address of a running cluster, or local") from None
    return ray


def _spread(ray: Any, actors: list[Any], windows: Iterator[Window], kind: str) -> Iterator[Done]:
    """Each actor has up to AHEAD windows; the one that is done gets the next."""
    waiting: dict[Any, tuple[Window, Any]] = {}
    free = [actor for actor in actors for _ in range(AHEAD)]
    while True:
        for window in islice(windows, len(free)):
            actor = free.pop(0)
            waiting[actor.work.remote(window, kind)] = window, actor
        if not waiting:
            return
        [done], _ = ray.wait([*waiting], num_returns=1)
        window, actor = waiting.pop(done)
        free.append(actor)
        yield window, ray.get(done)
