"""Batch scoring under hard conditions, with the keyword scorer in the place of the model, or with `--real` the model.

    python tests/soak_batch.py kill --times 20        # kill -9 at random moments: the same bytes as of a quiet run
    python tests/soak_batch.py memory --rows 1000000   # peak memory of the process at every tenth of the file
    python tests/soak_batch.py kill --real             # 2,000 posts of the corpus (the samples where it is absent)
    python tests/soak_batch.py memory --real --rows 50000   # short posts, all unlike each other

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
from collections.abc import Iterable, Iterator
from pathlib import Path

from keyword_scorer import POISON, KeywordScorer, SlowScorer

from serving.batch.assemble import rejects_path
from serving.batch.model import LoadScorer
from serving.batch.pools import Here, Load
from serving.batch.processes import Processes
from serving.batch.run import Job, Status, score_files
from serving.benchmarks.texts import read_texts, short_texts
from serving.settings import Settings

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


def write_texts(path: Path, texts: Iterable[str]) -> Path:
    """A file of these posts, with two rows that cannot be scored."""
    rows = (json.dumps({"id": f"p{number}", "text": text}) + "\n" for number, text in enumerate(texts))
    with path.open("w", encoding="utf-8") as file:
        file.writelines(["{broken\n", *itertools.islice(rows, 10), '{"text": ""}\n'])
        file.writelines(rows)
    return path


def loader(real: bool, otherwise: type[KeywordScorer]) -> Load:
    """The shipped model on one thread, or its stand-in."""
    return LoadScorer(Settings(threads=1)) if real else otherwise


def run(source: Path, target: Path, workers: int, window: int, real: bool = False) -> None:
    """Score, and say after every window how many rows are done."""

    def say(status: Status) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(status.rows, status.resumed, f"{status.share:.2f}", peak, flush=True)

    load = loader(real, SlowScorer)
    pool = Processes(load, workers) if workers > 1 else Here(load)
    summary = score_files(Job(str(source), target, window=window), pool, say)
    print("summary", summary.read, summary.scored, summary.failed, summary.repeated, flush=True)


def command(source: Path, target: Path, workers: int, window: int, real: bool = False) -> list[str]:
    """The command line of `run`."""
    options = ["--workers", str(workers), "--window", str(window), *(["--real"] if real else [])]
    return [sys.executable, __file__, "run", str(source), str(target), *options]


def run_killed(arguments: list[str], lines_before: int, seconds: float) -> bool:
    """Start a run and kill it `seconds` after its n-th line; False if it had ended by then."""
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        said = list(itertools.islice(process.stdout or (), lines_before))
        time.sleep(seconds)
        ended = len(said) < lines_before or process.poll() is not None
        process.send_signal(signal.SIGKILL)
    return not ended


def kill_until_done(arguments: list[str], windows: int, kills: int, chance: random.Random, seconds: float = 0.1) -> int:
    """Kill a job again and again, each time up to `seconds` after some window; the number of kills that hit it."""
    hits = sum(
        run_killed(arguments, chance.randint(0, max(1, windows // kills)), chance.random() * seconds)
        for _ in range(kills)
    )
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return hits


def outputs(target: Path) -> tuple[bytes, bytes]:
    """Bytes of a result and of its rejects."""
    return target.read_bytes(), rejects_path(target).read_bytes()


def kill(times: int, real: bool) -> None:
    """As many hits as asked for, five a job, each job compared with a quiet run."""
    with tempfile.TemporaryDirectory() as folder:
        source, quiet = Path(folder) / "in.jsonl", Path(folder) / "quiet.parquet"
        rows, workers, seconds = (2_000, 1, 1.0) if real else (4_000, 2, 0.1)
        write_texts(source, read_texts(rows)) if real else write_posts(source, rows)
        run(source, quiet, 1, 100, real)
        hits, job, chance = 0, 0, random.Random()
        while hits < times:
            target = Path(folder) / f"killed{job}.parquet"
            hits += kill_until_done(command(source, target, workers, 100, real), rows // 100, 5, chance, seconds)
            same = outputs(target) == outputs(quiet)
            print(f"job {job}: {hits} kills so far, {'same bytes' if same else 'OTHER BYTES'}", flush=True)
            left = [path.name for path in Path(folder).iterdir() if path.name.startswith(".")]
            if not same or left:
                sys.exit(f"failed: left behind {left}")
            job += 1


def memory(rows: int, real: bool) -> None:
    """One process, windows of the real size, the scorer that costs nothing or the real one."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.jsonl"
        write_texts(source, short_texts(rows)) if real else write_posts(source, rows)
        target, shown = Path(folder) / "out.jsonl", [0.0]

        def say(status: Status) -> None:
            if status.share >= shown[0]:
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(f"{status.rows:>9,} rows: {peak:.0f} MB", flush=True)
                shown[0] += 0.1

        start = time.monotonic()
        summary = score_files(Job(str(source), target), Here(loader(real, KeywordScorer)), say)
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
    for each in commands.choices.values():
        each.add_argument("--real", action="store_true", help="with the shipped model")
    given = vars(parser.parse_args())
    {"run": run, "kill": kill, "memory": memory}[given.pop("command")](**given)


if __name__ == "__main__":
    main()
