"""Another peer of the service: LitServe around the same scorer, as its documentation has it."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import litserve
from starlette.requests import Request

from data.records import Item
from models.scorer import Scorer


class ScoreApi(litserve.LitAPI):  # type: ignore[misc]
    """POST /score in one worker of one thread, without checks, limits, logs or metrics; GET /health."""

    def __init__(self, bundle: Path | None) -> None:
        super().__init__(api_path="/score")
        self.bundle = bundle

    def setup(self, device: str) -> None:
        self.scorer = Scorer.load(self.bundle, threads=1)

    def decode_request(self, request: Request) -> list[Item]:
        """LitServe reads this annotation (so it must not be a string) and hands over the body's JSON."""
        body: Any = request
        return [Item(**raw) for raw in body["items"]]

    def predict(self, items: list[Item]) -> Any:
        return self.scorer.score(items)

    def encode_response(self, results: Any) -> list[dict[str, Any]]:
        return [asdict(result) for result in results]


def main() -> None:
    """`python -m serving.benchmarks.lit_peer PORT [BUNDLE]`."""
    port, *bundle = sys.argv[1:]
    api = ScoreApi(Path(bundle[0]) if bundle else None)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, timeout=60)
    server.run(host="127.0.0.1", port=int(port), log_level="error", generate_client_file=False)


if __name__ == "__main__":
    main()
