"""Another peer of the service: LitServe around the same scorer, as its documentation has it."""

import sys
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import litserve
from starlette.requests import Request

from data.records import Item
from models.scorer import Scorer


class ScoreApi(litserve.LitAPI):  # type: ignore[misc]
    """POST /score in one worker of one thread, without checks, limits, logs or metrics; GET /health.

    Requests that come together are one batch, as its documentation advises.
    """

    def __init__(self, bundle: Path | None) -> None:
        super().__init__(api_path="/score", max_batch_size=16, batch_timeout=0.002)
        self.bundle = bundle

    def setup(self, device: str) -> None:
        self.scorer = Scorer.load(self.bundle, threads=1, shared=True)

    def decode_request(self, request: Request) -> list[Item]:
        """LitServe reads this annotation (so it must not be a string) and hands over the body's JSON."""
        body: Any = request
        return [Item(**raw) for raw in body["items"]]

    def predict(self, requests: list[list[Item]]) -> Any:
        results = iter(self.scorer.score([item for items in requests for item in items]))
        return [list(islice(results, len(items))) for items in requests]

    def unbatch(self, output: Any) -> Any:
        return output

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
