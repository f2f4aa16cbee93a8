"""The log formatter: JSON lines from which no exception's words get out."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import logging.config
import sys

import pytest

from serving.logs import REQUEST_ID, SafeFormatter, describe

SECRET = "某某客户的秘密"


def written(record: logging.LogRecord) -> dict[str, object]:
    line = SafeFormatter().format(record)
    assert "\n" not in line
    return json.loads(line)  # type: ignore[no-any-return]


def failing() -> BaseException:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as cause:
            raise ValueError(f"cannot read {SECRET}") from cause
    except ValueError as fault:
        return fault


def record(message: str, *args: object, fault: BaseException | None = None) -> logging.LogRecord:
    info = (type(fault), fault, fault.__traceback__) if fault else None
    return logging.LogRecord("bentoml.x", logging.ERROR, __file__, 1, message, args, info)


def test_a_line_has_the_fields_that_collectors_want() -> None:
    token = REQUEST_ID.set("r1")
    line = written(record("%d 条", 3))
    REQUEST_ID.reset(token)
    assert (line["level"], line["logger"], line["message"], line["request_id"]) == ("ERROR", "bentoml.x", "3 条", "r1")
    assert str(line["time"])[10] == "T"


@pytest.mark.parametrize("message", ["failed", f"failed: cannot read {SECRET}", f"ValueError('cannot read {SECRET}')"])
def test_an_exception_is_its_types_and_places(message: str) -> None:
    line = written(record(message, fault=failing()))
    assert SECRET not in str(line)
    assert str(line["fault"]).startswith("ValueError in failing, ")
    assert "; from KeyError in failing, " in str(line["fault"])


def test_describe_says_nothing_of_the_message() -> None:
    assert SECRET not in describe(failing())
    assert describe(ValueError(SECRET)) == "ValueError"


def test_asyncios_report_of_a_lost_task_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    async def lost() -> None:
        raise ValueError(SECRET)

    async def main() -> None:
        task = asyncio.ensure_future(lost())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        gc.collect()

    asyncio.run(main())
    lines = [SafeFormatter().format(found) for found in caplog.records]
    assert any("never retrieved" in line for line in lines)
    assert SECRET not in "".join(lines)


def test_the_configuration_is_one_that_logging_takes() -> None:
    import subprocess

    code = "import logging, serving.logs as l; l.configure(); logging.getLogger('bentoml.serve').info('hello')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["message"] == "hello"
