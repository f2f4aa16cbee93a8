"""Schemathesis on the live service: every operation, thousands of cases, no server error. Run by `make fuzz`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from serving.gate.keys import new_key
from serving.process import ROOT, SERVICE, running

TESTS = Path(__file__).parent
TOOL = os.environ.get("YUJING_SCHEMATHESIS") or shutil.which("st")
SERVICES = {
    "keyword": ("keyword_service:Yujing", TESTS, ()),
    # each reload would load the model again (seconds), so it is tried on the small scorer only
    "real": (SERVICE, ROOT, ("--exclude-path", "/admin/reload")),
}
# Not expressible in a schema, so a valid body may be refused: arrays of one length, a folder that holds a bundle; and
# an Idempotency-Key may have come before.
UNCHECKED = "positive_data_acceptance"


@pytest.mark.slow
@pytest.mark.skipif(TOOL is None, reason="schemathesis is not installed: make fuzz")
@pytest.mark.parametrize("name", SERVICES)
def test_no_request_is_a_server_error(name: str, tmp_path: Path) -> None:
    service, root, more = SERVICES[name]
    cases = os.environ.get("YUJING_FUZZ_EXAMPLES", "300")  # per operation
    secret, key = new_key("fuzz", ["score", "feedback", "admin"])
    with running({"YUJING_KEYS": key.line, "YUJING_RATE": "0"}, service=service, root=root) as server:
        command = [str(TOOL), "run", f"{server.url}/docs.json", "-H", f"Authorization: Bearer {secret}", *more]
        command += ["--checks", "all", "--exclude-checks", UNCHECKED, "-n", cases, "--continue-on-failure"]
        done = subprocess.run([*command, "--no-color"], cwd=tmp_path, capture_output=True, text=True)
        log = server.log.read_text(encoding="utf-8")
    print(name, *re.findall(r"[0-9,]+ generated.*", done.stdout), file=sys.stderr)
    assert not [line for line in log.splitlines() if not line.startswith('{"')]
    lines = [json.loads(line) for line in log.splitlines()]
    answered = [line["status"] for line in lines if line["message"] == "request"]
    assert answered
    assert max(answered) < 500
    assert done.returncode == 0, done.stdout[-4000:]
