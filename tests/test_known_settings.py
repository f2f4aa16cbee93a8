"""The table of the variables that are read, and what is told of one that is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models.together import ROWS
from serving.drift.monitor import PACE
from serving.drift.reference import MIN_POSTS
from serving.gate.admission import LEAST
from serving.gate.heads import HEAD_SECONDS, MAX_HEAD
from serving.gate.idempotency import MAX_BYTES, MAX_ENTRIES, MAX_SECONDS
from serving.gate.places import BESIDE
from serving.known_settings import KNOWN, idle_settings, unknown_settings
from serving.micro_batch import SMALL

PAGE = (Path(__file__).parents[1] / "serving" / "OPERATE.md").read_text(encoding="utf-8")


def test_every_known_setting_is_on_the_operators_page_and_the_other_way_round() -> None:
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", PAGE, re.MULTILINE)
    assert {name for row in rows for name in re.findall("[A-Z_]+", row)} == {*KNOWN}


@pytest.mark.parametrize(
    "sentence",
    [
        f"({LEAST} are always let in)",
        f"Requests of up to {SMALL} items that come",
        f"scored as one call, up to {ROWS} items",
        f"(other requests have {BESIDE} places of their own)",
        f"up to {MAX_SECONDS / 3600:.0f} h, {MAX_ENTRIES:,} answers or {MAX_BYTES >> 20} MiB",
        f"The head of a request is at most {MAX_HEAD >> 10} KiB (431) and must come within {HEAD_SECONDS:.0f} s",
        f"of more than {PACE:.0f} a second",
        f"below {MIN_POSTS} posts",
    ],
)
def test_the_numbers_on_the_operators_page_are_those_of_the_code(sentence: str) -> None:
    assert sentence in PAGE


def test_what_is_known_is_not_told() -> None:
    assert list(unknown_settings(dict.fromkeys((*KNOWN, "PATH", "NOT_YUJING_RATE"), "x"))) == []


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("YUJING_WATCHWORDS", "YUJING_WATCH_WORDS"),
        ("YUJING_KEY_FILE", "YUJING_KEYS_FILE"),
        ("YUJING_THREAD", "YUJING_THREADS"),
        ("YUJING_DRIFT_WINDOWS", "YUJING_DRIFT_WINDOW"),
        ("YUJING_STORE_DAY", "YUJING_STORE_DAYS"),
        ("YUJING_CACHE_DIR", "YUJING_CACHE"),
        ("YUJING_watch_words", "YUJING_WATCH_WORDS"),
        ("YUJING_COLOUR", None),
        ("YUJING_PORT", None),
    ],
)
def test_a_slip_of_the_pen_is_told_with_the_nearest_setting_and_without_its_value(name: str, near: str | None) -> None:
    hint = f": did you mean {near}?" if near else ""
    assert list(unknown_settings({name: "geheim"})) == [f"{name} is no setting and does nothing{hint}"]


def test_what_kubernetes_sets_for_a_service_of_our_name_is_not_told() -> None:
    links = {
        "YUJING_SERVICE_HOST": "10.0.0.1",
        "YUJING_SERVICE_PORT": "3000",
        "YUJING_SERVICE_PORT_HTTP": "3000",
        "YUJING_PORT": "tcp://10.0.0.1:3000",
        "YUJING_PORT_3000_TCP": "tcp://10.0.0.1:3000",
        "YUJING_PORT_3000_TCP_PROTO": "tcp",
        "YUJING_PORT_3000_TCP_PORT": "3000",
        "YUJING_PORT_3000_TCP_ADDR": "10.0.0.1",
        "YUJING_POSTGRES_PORT_5432_TCP_ADDR": "10.0.0.2",
    }
    assert list(unknown_settings(links)) == []


def test_settings_of_a_store_that_is_not_named_are_told_without_their_values() -> None:
    given = {"YUJING_STORE_DAYS": "5", "YUJING_STORE_TEXT": "", "DATABASE_URL": "postgresql://me:geheim@here/db"}
    told = [*idle_settings(given)]
    assert [sentence.partition(" does nothing, as nothing is stored")[0] for sentence in told] == [
        "DATABASE_URL",
        "YUJING_STORE_DAYS",
    ]
    assert "geheim" not in "".join(told)
    assert [*idle_settings({**given, "YUJING_STORE": "answers"})] == []
    assert [*idle_settings({"YUJING_RATE": "5"})] == []
