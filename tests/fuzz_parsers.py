"""Coverage-guided fuzzing (atheris, which is libFuzzer) of the targets in `fuzz_targets`.

    make atheris                                  # every target, one minute each
    python tests/fuzz_parsers.py lexical 300      # one of them, for five minutes
    python tests/fuzz_parsers.py lexical FILE     # a crash once more

Some inputs are the fuzzer's bytes as they are; the others spoil a valid file in places that the bytes choose.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["data", "models", "serving"]):
    from fuzz_seeds import DEEP, Chance
    from fuzz_targets import TARGETS, TEXT, Target

    from data.errors import YujingError

LIMITS = ("-timeout=30", "-rss_limit_mb=4096", "-max_len=65536", "-verbosity=0")


def run(target: Target, blob: bytes) -> None:
    """One input; libFuzzer reports what leaves."""
    data = atheris.FuzzedDataProvider(blob)
    raw = data.ConsumeIntInRange(0, 3) == 0  # from the last byte
    given = data.ConsumeBytes(len(blob)) if raw else target.change(target.valid, Chance(data.ConsumeIntInRange))
    with suppress(YujingError):
        target.read(given)


def main() -> None:
    """Set up a target and let libFuzzer run it."""
    name, rest = sys.argv[1:]
    warnings.simplefilter("ignore")
    logging.disable()
    with atheris.instrument_imports(include=["data", "models", "serving"]):
        target = TARGETS[name]()
    corpus = Path(tempfile.mkdtemp())
    for number, seed in enumerate((TEXT.encode() + b"\0", DEEP.encode() + b"\0", target.valid + b"\0", b"ab" * 40)):
        (corpus / str(number)).write_bytes(seed)
    what = [rest] if Path(rest).exists() else [str(corpus), f"-max_total_time={rest}", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *LIMITS, *what], lambda blob: run(target, blob))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
