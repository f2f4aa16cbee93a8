"""Lines and CSV records of damaged files: what is broken costs itself, and nothing else."""

from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from serving.batch.lines import MARK, Line, Record, bounded_lines, csv_records

cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=MARK), max_size=8)
table = st.lists(st.lists(cell, min_size=2, max_size=4), min_size=1, max_size=8)


def parse(text: str) -> list[Record]:
    return list(csv_records(bounded_lines(io.StringIO(text, newline=""), 1_000)))


@settings(max_examples=80, deadline=None)
@given(rows=table)
def test_what_the_csv_writer_writes_is_read_back_with_its_lines(rows: list[list[str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    records = parse(file.getvalue())
    assert [record.cells for record in records] == rows
    lines = list(bounded_lines(io.StringIO(file.getvalue(), newline=""), 1_000))
    assert [lines[record.line - 1].number for record in records] == [record.line for record in records]
    assert records[0].line == 1


def test_an_unclosed_quote_costs_its_own_line() -> None:
    records = parse('1,"open\n2,good\n3,"also good"\n4,last\n')
    assert [(record.line, record.cells) for record in records] == [
        (1, []),
        (2, ["2", "good"]),
        (3, ["3", "also good"]),
        (4, ["4", "last"]),
    ]
    assert records[0].fault


def test_a_quote_that_a_later_line_closes_is_one_record() -> None:
    """By RFC 4180: the lines between may be rows that a forgotten quote takes, or a numbered list within a post."""
    records = parse('1,"好评\n2,不错\n3,屏幕15"\n4,末行\n')
    assert [(record.line, record.cells) for record in records] == [
        (1, ["1", "好评\n2,不错\n3,屏幕15"]),
        (4, ["4", "末行"]),
    ]


def test_a_quote_never_closed_ends_the_search_at_the_field_limit() -> None:
    records = parse('1,"open\n' + "2,good\n" * 30_000)
    assert len(records) == 30_001
    assert [record.line for record in records if record.fault] == [1]


def test_text_after_a_closing_quote_is_a_fault() -> None:
    first, second = parse('1,"a" b\n2,"多\n行"\n')
    assert first.fault
    assert (second.line, second.cells) == (2, ["2", "多\n行"])


def test_a_line_past_the_limit_is_cut_and_counts_once() -> None:
    lines = list(bounded_lines(io.StringIO("ab\n" + "x" * 25 + "\ncd", newline="\n"), 10))
    assert lines == [Line(1, "ab\n"), Line(2, "x" * 10, cut=True), Line(3, "cd")]
    exact = list(bounded_lines(io.StringIO("x" * 10, newline="\n"), 10))
    assert exact == [Line(1, "x" * 10)]


flat = st.text(st.sampled_from('假货,"; '), max_size=8)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.lists(flat, min_size=2, max_size=4), min_size=1, max_size=8), limit=st.integers(1, 40))
def test_a_record_is_whole_or_its_line_was_cut(rows: list[list[str]], limit: int) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows(rows)
    long = [len(line) > limit for line in file.getvalue().splitlines(keepends=True)]
    file.seek(0)
    records = list(csv_records(bounded_lines(file, limit)))
    assert [bool(record.fault) for record in records] == long
    assert all(record.fault or record.cells == row for record, row in zip(records, rows, strict=True))
