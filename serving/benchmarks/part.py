"""One part of the benchmarks in a process of its own: `… -m serving.benchmarks.part NAME TEXTS ROUNDS [BUNDLE]`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from models.bundle import open_bundle
from models.calibration import FirstStage
from models.scorer import Scorer
from serving.benchmarks.texts import read_texts, slices

LONGER = 8  # times as many texts as elsewhere: each process meets most shapes of batches once, and that takes a while
Run = Callable[[Path | None, int, int], dict[str, Any]]


def _engines(bundle: Path | None, texts: int, rounds: int) -> dict[str, Any]:
    from serving.benchmarks.engines import run_engines

    return run_engines(open_bundle(bundle), slices(texts, rounds))


def _path(bundle: Path | None, texts: int, rounds: int) -> dict[str, Any]:
    from serving.benchmarks.path import run_path

    return run_path(Scorer.load(bundle, threads=1), slices(texts, rounds), _stage(bundle))


def _stage(bundle: Path | None) -> FirstStage | None:
    part = open_bundle(bundle).manifest.text
    return part.first_stage if part else None


def _scaling(bundle: Path | None, texts: int, rounds: int) -> dict[str, Any]:
    from serving.batch.model import LoadScorer
    from serving.benchmarks.scaling import run_scaling
    from serving.settings import Settings

    return run_scaling(LoadScorer(Settings(bundle=bundle, threads=1)), read_texts(LONGER * texts), rounds)


def _service(bundle: Path | None, texts: int, rounds: int) -> dict[str, Any]:
    from serving.benchmarks.service import run_service

    return run_service(lambda: Scorer.load(bundle, threads=1), bundle, texts, rounds)


def _volumes(bundle: Path | None, texts: int, rounds: int) -> dict[str, Any]:
    from serving.benchmarks.volumes import run_volumes

    return run_volumes(Scorer.load(bundle, threads=1), texts, rounds)


PARTS: Mapping[str, Run] = {
    "engines": _engines,
    "path": _path,
    "scaling": _scaling,
    "volumes": _volumes,
    "service": _service,
}


def main() -> None:
    """Write the part's figures to stdout as JSON."""
    name, texts, rounds, *bundle = sys.argv[1:]
    figures = PARTS[name](Path(bundle[0]) if bundle else None, int(texts), int(rounds))
    sys.stdout.buffer.write(to_json(figures))


if __name__ == "__main__":
    main()
