"""Batch scoring under hard conditions, with the keyword scorer in the place of the model.

    python tests/soak_batch.py kill --times 20       # kill -9 at random moments: the bytes must be those of a quiet run
    python tests/soak_batch.py memory --rows 1000000 # peak memory of the process at every tenth of the file

`run IN OUT` is what they start; it writes a line for every window that is done.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from keyword_scorer import POISON, KeywordScorer, SlowScorer

from serving.batch.assemble import rejects_path
from serving.batch.pools import Here
from serving.batch.processes import Processes
from serving.batch.run import Job, Status, score_files

WORDS = ("买到假货", "物流很快", "仓库爆炸", "客服推诿", POISON, "再也不买了")


def lines(rows: int) -> Iterator[str]:
    """JSONL of posts: every tenth repeats an earlier one, every 97th is no JSON, some cannot be scored."""
    for number in range(rows):
        origin = number - 9 if number % 10 == 9 else number
        text = f"{WORDS[origin % len(WORDS)]}，第{origin}单。" * 5
        yield "{broken\n" if number % 97 == 96 else json.dumps({"id": f"p{number}", "text": text}) + "\n"


def write_posts(path: Path, rows: int) -> Path:
    """A file of `lines`."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines(rows))
    return path


def run(source: Path, target: Path, workers: int, window: int) -> None:
    """Score, and say after every window how many rows are done."""

    def say(status: Status) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(status.rows, status.resumed, f"{status.share:.2f}", peak, flush=True)

    pool = Processes(SlowScorer, workers) if workers > 1 else Here(SlowScorer)
    summary = score_files(Job(str(source), target, window=window), pool, say)
    print("summary", summary.read, summary.scored, summary.failed, summary.repeated, flush=True)


def command(source: Path, target: Path, workers: int, window: int) -> list[str]:
    """The command line of `run`."""
    options = ["--workers", str(workers), "--window", str(window)]
    return [sys.executable, __file__, "run", str(source), str(target), *options]


def run_killed(arguments: list[str], lines_before: int, seconds: float) -> bool:
    """Start a run and kill it `seconds` after its n-th line; False if it had ended by then."""
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        said = list(itertools.islice(process.stdout or (), lines_before))
        time.sleep(seconds)
        ended = len(said) < lines_before or process.poll() is not None
        process.send_signal(signal.SIGKILL)
    return not ended


def kill_until_done(arguments: list[str], windows: int, kills: int, chance: random.Random) -> int:
    """Kill a job again and again, then let it end; the number of kills that hit it."""
    hits = sum(
        run_killed(arguments, chance.randint(0, max(1, windows // kills)), chance.random() * 0.1) for _ in range(kills)
    )
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return hits


def outputs(target: Path) -> tuple[bytes, bytes]:
    """Bytes of a result and of its rejects."""
    return target.read_bytes(), rejects_path(target).read_bytes()


def kill(times: int) -> None:
    """As many hits as asked for, five a job, each job compared with a quiet run."""
    with tempfile.TemporaryDirectory() as folder:
        source, quiet = write_posts(Path(folder) / "in.jsonl", 4_000), Path(folder) / "quiet.parquet"
        run(source, quiet, workers=1, window=100)
        hits, job, chance = 0, 0, random.Random()
        while hits < times:
            target = Path(folder) / f"killed{job}.parquet"
            hits += kill_until_done(command(source, target, 2, 100), 40, 5, chance)
            same = outputs(target) == outputs(quiet)
            print(f"job {job}: {hits} kills so far, {'same bytes' if same else 'OTHER BYTES'}", flush=True)
            left = [path.name for path in Path(folder).iterdir() if path.name.startswith(".")]
            if not same or left:
                sys.exit(f"failed: left behind {left}")
            job += 1


def memory(rows: int) -> None:
    """One process, windows of the real size, the scorer that costs nothing."""
    with tempfile.TemporaryDirectory() as folder:
        source = write_posts(Path(folder) / "in.jsonl", rows)
        target, shown = Path(folder) / "out.jsonl", [0.0]

        def say(status: Status) -> None:
            if status.share >= shown[0]:
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(f"{status.rows:>9,} rows: {peak:.0f} MB", flush=True)
                shown[0] += 0.1

        start = time.monotonic()
        summary = score_files(Job(str(source), target), Here(KeywordScorer), say)
        peak, seconds = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.monotonic() - start
        size = target.stat().st_size / 1e6
        print(f"{summary} in {seconds:.0f} s; peak {peak:.0f} MB; wrote {size:.0f} MB", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run")
    one.add_argument("source", type=Path)
    one.add_argument("target", type=Path)
    one.add_argument("--workers", type=int, default=1)
    one.add_argument("--window", type=int, default=100)
    commands.add_parser("kill").add_argument("--times", type=int, default=20)
    commands.add_parser("memory").add_argument("--rows", type=int, default=1_000_000)
    given = vars(parser.parse_args())
    {"run": run, "kill": kill, "memory": memory}[given.pop("command")](**given)


if __name__ == "__main__":
    main()
