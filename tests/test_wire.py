"""The one JSON parser: strict, bounded, and silent about what a post says."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.records import MAX_TEXT, ZONED
from data.rim import explain
from serving.wire import MAX_FIELDS, read_json, read_request

SECRET = "某某客户的秘密"


def refusal(body: bytes) -> str:
    with pytest.raises(InputError) as raised:
        read_request(body)
    assert SECRET not in str(raised.value)
    return str(raised.value)


def item(field: str) -> bytes:
    return f'{{"items": [{{"text": "{SECRET}", {field}}}]}}'.encode()


def volume(field: str) -> bytes:
    return item(f'"volume": {{"as_of": "2026-03-15T12:00:00Z", {field}}}')


HOSTILE = [
    (item('"id": "a", "id": "b"'), "not valid JSON: Detected duplicate key"),
    (b'{"items": [], "items": [{"text": "a"}]}', "not valid JSON: Detected duplicate key"),
    (item('"id": "\\ud800"'), "items[0].id: half an emoji (a lone surrogate): send it whole or leave it out"),
    (item('"id": "\\udc00"'), "items[0].id: half an emoji"),
    (item('"id": "\\ud83d\\u0041"'), "items[0].id: half an emoji"),
    (item('"\\ud83d": 1'), "items[0].…: half an emoji"),
    (item('"id": {"a": "\\ud83d"}'), "not valid JSON: "),  # of no record
    (item('"id": "\\ud83d"')[:-1], "not valid JSON: "),
    (item('"id": "\\ud83d", "text": ' + "[" * 5_000), "not valid JSON: "),
    (b'{"items": [], "note": "\\ud83d"}', "note: half an emoji"),
    (b'{"items": [{"text": "\xff"}]}', "not valid JSON: "),
    (b'{"items": [{"text": "\xed\xa0\x80"}]}', "not valid JSON: "),
    (b"\xef\xbb\xbf{}", "not valid JSON: "),
    (b"[" * 100_000, "not valid JSON: recursion limit"),
    (b'{"items":' * 50_000, "not valid JSON: recursion limit"),
    (b'{"items": [{"text": ' + b"[" * 150 + b"]" * 150 + b"}]}", "items[0].text: "),
    (item('"id": NaN'), "items[0].id: "),
    (item('"id": 7'), "items[0].id: "),
    (item('"explain": 1'), "items[0].explain: "),
    (item('"explain": "yes"'), "items[0].explain: "),
    (item('"published_at": 1700000000'), "items[0].published_at: "),
    (item('"published_at": "2026-03-15"'), f"items[0].published_at: Value error, {ZONED}"),
    (item('"published_at": "2026-03-15 12:00:00"'), f"items[0].published_at: Value error, {ZONED}"),
    (volume('"counts": [1]').replace(b"00Z", b"00"), f"items[0].volume.as_of: Value error, {ZONED}"),
    (volume('"counts": [-1]'), "items[0].volume.counts[0]: "),
    (volume('"counts": [1e999]'), "items[0].volume.counts[0]: "),
    (volume('"counts": [' + "9" * 400 + "]"), "items[0].volume.counts[0]: "),
    (volume('"counts": [' + "9" * 5000 + "]"), "not valid JSON: "),
    (volume('"counts": [Infinity]'), "items[0].volume.counts[0]: "),
    (volume('"counts": ["3"]'), "items[0].volume.counts[0]: "),
    (volume('"counts": [true]'), "items[0].volume.counts[0]: "),
    (volume('"counts": [1], "negative": [-1]'), "items[0].volume.negative[0]: "),
    (volume('"counts": [1], "interval_minutes": 60.5'), "items[0].volume.interval_minutes: "),
    (volume('"counts": [1], "interval_minutes": "60"'), "items[0].volume.interval_minutes: "),
    (volume('"counts": [1], "n_platforms": -1'), "items[0].volume.n_platforms: "),
    (volume('"counts": [1], "influencer_share": 1.1'), "items[0].volume.influencer_share: "),
    (item('"volume": {"as_of": "20260315", "counts": [1]}'), "items[0].volume.as_of: Value error, give ISO 8601"),
    (item('"published_at": "20260315"'), "items[0].published_at: Value error, give ISO 8601 with a zone"),
    (b'{"items": {"0": {"text": "a"}}}', "items: "),
    (b"null", "record: "),
    (b'"' + b"x" * 1000 + b'"', "record: "),
    (b"7", "record: "),
]


@pytest.mark.parametrize(("body", "says"), HOSTILE, ids=[f"{i}-{says[:40]}" for i, (_, says) in enumerate(HOSTILE)])
def test_hostile_bodies_are_refused_with_the_place(body: bytes, says: str) -> None:
    assert refusal(body).startswith(says)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"])
def test_a_strange_time_is_no_reason_to_refuse_a_whole_request(time: str) -> None:
    [post] = read_request(item(f'"published_at": "{time}", "volume": {{"as_of": "{time}", "counts": [1]}}'))
    assert post.published_at == post.volume.as_of  # type: ignore[union-attr]


@given(st.integers(1, 2_000))
def test_a_refusal_is_short_however_much_is_wrong(many: int) -> None:
    fields = {f"{SECRET[0]}{number}" + "k" * 500: 1 for number in range(many)}
    with pytest.raises(InputError) as raised:
        read_request(json.dumps({"items": [{"text": "a", **fields}]}).encode())
    assert len(str(raised.value)) < 5_000


@pytest.mark.parametrize(
    "body",
    [
        volume('"counts": [' + ",".join(['"a"'] * 10_000) + "]"),
        volume('"counts": [1], ' + ",".join(f'"{number}": 1' for number in range(10_000))),
        item(",".join(f'"{number}": 1' for number in range(10_000))),
        b"{" + b",".join(b'"%d": 1' % number for number in range(10_000)) + b"}",
    ],
)
def test_a_fault_is_not_kept_ten_thousand_times(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    monkeypatch.setattr("serving.wire.explain", lambda error: kept.append(error.error_count()) or explain(error))
    refusal(body)
    assert sum(kept) < 10


def test_several_faulty_items_are_all_told() -> None:
    said = refusal(b'{"items": [{"text": ""}, {"text": "a"}, {"id": 7, "text": "a"}, {"text": "a", "k": 1}]}')
    assert [said.count(place) for place in ("items[0].text: ", "items[1]", "items[2].id: ", "items[3].k: ")] == [
        1,
        0,
        1,
        1,
    ]


def test_an_array_is_left_at_its_first_fault_which_alone_is_told() -> None:
    assert refusal(volume('"counts": ["a", "b"]')) == "items[0].volume.counts[0]: Input should be a valid number"
    assert "at least 1 item" in refusal(volume('"counts": []'))


def test_an_object_of_too_many_fields_is_named() -> None:
    fields = ",".join(f'"{number}": 1' for number in range(MAX_FIELDS))
    assert refusal(item(fields)) == "items[0]: at most 32 fields, got 33: take some away"
    assert refusal(volume(fields)) == "items[0].volume: at most 32 fields, got 33: take some away"


def test_a_long_duplicate_key_is_not_repeated_in_full() -> None:
    key = json.dumps("k" * 100_000)
    with pytest.raises(InputError) as raised:
        read_json(f"{{{key}: 1, {key}: 2}}")
    assert len(str(raised.value)) < 500


@given(st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable()), st.booleans())
def test_what_is_valid_comes_through_unchanged(text: str, escaped: bool) -> None:
    [item] = read_request(json.dumps({"items": [{"text": text}]}, ensure_ascii=escaped).encode())
    assert item.text == text


def test_emoji_count_as_characters() -> None:
    assert len(read_request(json.dumps({"items": [{"text": "😡" * MAX_TEXT}]}).encode())) == 1
    assert refusal(json.dumps({"items": [{"text": "😡" * (MAX_TEXT + 1)}]}).encode()).startswith("items[0].text: ")


@given(st.text(max_size=20), st.sampled_from("😡🙏👨"), st.integers(0, 3))
def test_a_post_that_was_cut_within_an_emoji_is_named(text: str, emoji: str, before: int) -> None:
    cut = (text + emoji).encode("utf-16-le")[:-2].decode("utf-16-le", "surrogatepass")
    body = json.dumps({"items": [*[{"text": "好"}] * before, {"text": cut}, {"text": "好"}]}).encode()
    assert refusal(body).startswith(f"items[{before}].text: half an emoji")


@given(st.binary(max_size=200))
def test_no_bytes_are_anything_but_items_or_an_input_error(body: bytes) -> None:
    try:
        items = read_request(body)
    except InputError:
        return
    assert items
