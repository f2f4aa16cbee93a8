"""Score on a Ray cluster: the same windows, shards, manifest and rejects, the scorer in a pool of actors."""

from __future__ import annotations

import logging
import os
import platform
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from data.errors import ConfigError, YujingError
from serving.batch.pools import ONE_THREAD, RETRIES, Done, Load, WorkersLostError
from serving.batch.shard import make_shard
from serving.batch.windows import Window
from serving.scoring import SupportsScore

# A cluster of this machine alone, for a trial: it listens on localhost only, and tells nobody that it is used. Ray 2.60
# turns a node's address 127.0.0.1 into that of the network, unless it was imported with the first of these.
LOCAL = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}

logger = logging.getLogger(__name__)

PATIENCE = 120  # seconds until the first actor has begun, after which it is said what the run waits for
FRAMES = re.compile(r"Traceback \(most recent call last\):\n(?: .*\n)+")  # of the other side, in an error's message
REMEDY = "give the address of a running cluster (with RAY_AUTH_MODE=token where it asks for one), or local"


class Worker:
    """One actor: a scorer of one thread."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._scorer: SupportsScore | None = None

    def begin(self) -> None:
        """Load the scorer: an actor that has begun has found room in the cluster. A YujingError names the machine."""
        try:
            self._scorer = self._scorer or self._load()
        except YujingError as error:
            raise type(error)(f"node {platform.node()}: {error}") from None

    def work(self, window: Window, kind: str) -> bytes:
        """The bytes of the window's shard; one that was started anew loads its scorer here."""
        self.begin()
        assert self._scorer is not None
        return make_shard(self._scorer, window.rows, kind)


@dataclass(frozen=True)
class RayActors:
    """`count` actors (0: one per CPU of the cluster) at `address` (`auto`, `ray://host:10001`, `local`).

    Every machine needs the same Yujing, the bundle at the same path, and the arithmetic of this one (all with bfloat16
    or none): a post on another CPU is answered with other last digits. An actor that dies is started anew, on
    another machine if need be, and its windows are scored again. ConfigError: no Ray, no cluster there, or a machine
    that is another; WorkersLostError: actors die again and again, or the cluster is gone.
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
        except ray.exceptions.RayTaskError as error:
            raise error.cause if isinstance(error.cause, YujingError) else error from None
        except ray.exceptions.RayActorError as error:
            raise WorkersLostError(
                f"an actor died {RETRIES + 1} times at the same work ({type(error).__name__}): look at Ray's log; "
                "the run goes on where it was when it is repeated"
            ) from None
        except (ray.exceptions.RayError, ConnectionError) as error:
            raise WorkersLostError(
                f"--ray {self.address}: the cluster was lost ({type(error).__name__}): look at Ray's log; "
                "the run goes on where it was when it is repeated"
            ) from None
        finally:
            ray.shutdown()


def _connect(address: str) -> Any:
    own = address == "local"
    os.environ.update({name: os.environ.get(name, value) for name, value in LOCAL.items() if own})
    try:
        import ray
    except ImportError:
        raise ConfigError("--ray needs Ray: pip install -c constraints.txt -e '.[cluster]'") from None
    options: dict[str, Any] = {"include_dashboard": False} if own else {}
    options |= {"runtime_env": {"env_vars": ONE_THREAD}, "log_to_driver": False, "logging_level": "warning"}
    try:
        with warnings.catch_warnings(action="ignore"):  # what they say, the error says
            ray.init(address, **options)
    except (ConnectionError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        reason = FRAMES.sub("", str(error)).strip().rstrip(".")
        raise ConfigError(f"--ray {address}: {reason}: {REMEDY}") from None
    return ray


def _spread(ray: Any, actors: list[Any], windows: Iterator[Window], kind: str) -> Iterator[Done]:
    """An actor gets a window when it has nothing to do, the first once it has begun.

    So one for which the cluster has no room keeps nothing back, and of two windows two actors have one each.
    """
    beginning = {actor.begin.remote(): actor for actor in actors}
    waiting: dict[Any, tuple[Window, Any]] = {}
    free: list[Any] = []
    while True:
        for window in islice(windows, len(free)):
            actor = free.pop()
            waiting[actor.work.remote(window, kind)] = window, actor
        if free and not waiting:  # the windows have come to an end
            return
        done = _first(ray, [*waiting, *beginning], PATIENCE if len(beginning) == len(actors) else None)
        answer = ray.get(done)
        if done in beginning:
            free.append(beginning.pop(done))
            continue
        window, actor = waiting.pop(done)
        free.append(actor)
        yield window, answer


def _first(ray: Any, refs: list[Any], patience: float | None) -> Any:
    """The one that is done first; a cluster that has no room for any actor is waited for, but not in silence."""
    if not (done := ray.wait(refs, num_returns=1, timeout=patience)[0]):
        logger.warning("no actor has begun for %d s: is a CPU free there? see `ray status`; still waiting", patience)
        done = ray.wait(refs, num_returns=1)[0]
    return done[0]
