"""A service process never outlives its caller and says why it could not start."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from serving.process import ServiceError, running

TESTS = Path(__file__).parent


def children() -> set[psutil.Process]:
    """Processes below this one; other tests may have left some that are about to end."""
    return set(psutil.Process().children(recursive=True))


def fail_while_running(before: set[psutil.Process]) -> None:
    with running(service="keyword_service:Yujing", root=TESTS):
        assert len(children() - before) >= 2  # BentoML and its worker
        raise ZeroDivisionError


def test_a_failing_caller_leaves_no_process_behind() -> None:
    before = children()
    with pytest.raises(ZeroDivisionError):
        fail_while_running(before)
    assert children() <= before


def test_a_service_that_cannot_load_is_an_error_with_its_log() -> None:
    before = children()
    with (
        pytest.raises(ServiceError, match="engine: Input should be 'int8', 'bf16', 'onnx' or 'torch'"),
        running({"YUJING_ENGINE": "abacus"}),
    ):
        pass
    assert children() <= before
