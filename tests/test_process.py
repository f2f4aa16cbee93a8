"""A service process never outlives its caller and says why it could not start."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from serving.process import ServiceError, running

TESTS = Path(__file__).parent


def children() -> list[psutil.Process]:
    """All but multiprocessing's resource tracker, which other tests leave behind."""
    found = psutil.Process().children(recursive=True)
    return [child for child in found if "multiprocessing.resource_tracker" not in " ".join(child.cmdline())]


def fail_while_running() -> None:
    with running(service="keyword_service:Yujing", root=TESTS):
        assert len(children()) >= 2  # BentoML and its worker
        raise ZeroDivisionError


def test_a_failing_caller_leaves_no_process_behind() -> None:
    with pytest.raises(ZeroDivisionError):
        fail_while_running()
    assert children() == []


def test_a_service_that_cannot_load_is_an_error_with_its_log() -> None:
    with (
        pytest.raises(ServiceError, match="engine: Input should be 'int8', 'bf16', 'onnx' or 'torch'"),
        running({"YUJING_ENGINE": "abacus"}),
    ):
        pass
    assert children() == []
