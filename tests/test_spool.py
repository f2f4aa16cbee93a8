"""The spool by itself: whole rows, each once, and what a dead process left."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from pathlib import Path

from stored import spool_rows

from serving.store.records import Prediction
from serving.store.spool import Spool


def ids(found: list[Prediction]) -> list[str]:
    return [row.id for row in found]


def test_the_spool_gives_back_what_it_took(tmp_path: Path) -> None:
    written = spool_rows(7)
    with closing(Spool(tmp_path, 100)) as spool:
        assert spool.append(written[:4]) + spool.append(written[4:]) == 7
        rows, lines, end = spool.peek(3)
        assert ids(rows) == ids(written[:3])
        assert rows[0].at == written[0].at
        assert rows[0].text == written[0].text
        assert spool.peek(3)[0] == rows  # looking takes nothing away
        for taken in (3, 6, 7):
            rows, lines, end = spool.peek(3)
            assert ids(rows) == ids(written[taken - lines : taken])
            spool.advance(lines, end)
            assert spool.rows == 7 - taken
        assert not spool.path.exists()


def test_a_full_spool_takes_no_more_until_there_is_room(tmp_path: Path) -> None:
    written = spool_rows(6)
    with closing(Spool(tmp_path, 4)) as spool:
        assert (spool.append(written[:3]), spool.append(written[3:]), spool.append(written)) == (3, 1, 0)
        spool.advance(*spool.peek(2)[1:])
        assert spool.append(written) == 2


def test_a_spool_with_rows_takes_nothing_over_yet(tmp_path: Path) -> None:
    own, left = spool_rows(2), spool_rows(3)
    with closing(Spool(tmp_path, 100)) as spool:
        spool.append(own)
        with closing(Spool(tmp_path, 100)) as other:
            other.append(left)
        spool.inherit()
        assert (spool.rows, ids(spool.peek(10)[0])) == (2, ids(own))
        spool.advance(*spool.peek(10)[1:])
        assert (spool.rows, ids(spool.peek(10)[0])) == (3, ids(left))


def test_only_the_owner_reads_what_waits_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(Spool(tmp_path, 100)) as spool:
            spool.append(spool_rows(1))
            assert stat.S_IMODE(spool.path.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_torn_line_is_skipped_and_its_neighbours_live(tmp_path: Path) -> None:
    written = spool_rows(3)
    with closing(Spool(tmp_path, 100)) as spool:
        spool.append(written[:2])
    with (tmp_path / "spool-0.jsonl").open("ab") as file:
        file.write(b'{"id": "torn')
    with closing(Spool(tmp_path, 100)) as spool:
        spool.append(written[2:])
        rows, lines, _ = spool.peek(10)
        assert (ids(rows), lines) == (ids(written), 4)


def test_two_processes_have_two_spools(tmp_path: Path) -> None:
    with closing(Spool(tmp_path, 1)) as first, closing(Spool(tmp_path, 1)) as second:
        assert first.path != second.path
    with closing(Spool(tmp_path, 1)) as again:
        assert again.path == first.path


def test_of_two_processes_in_a_folder_that_was_made_anew_none_takes_the_rows_of_the_other(tmp_path: Path) -> None:
    folder, written = tmp_path / "store", spool_rows(9)
    folder.mkdir()
    with closing(Spool(folder, 100)) as first:
        first.append(written[:3])
        folder.rename(tmp_path / "gone")
        folder.mkdir()
        with closing(Spool(folder, 100)) as second:
            second.append(written[3:5])
            assert first.peek(9) == ([], 0, 0)
            first.advance(0, 0)
            first.append(written[5:])
            assert first.path != second.path
            assert ids(second.peek(9)[0]) == ids(written[3:5])
            assert ids(first.peek(9)[0]) == ids(written[5:])
        first.advance(4, first.peek(9)[2])
        assert ids(first.peek(9)[0]) == ids(written[3:5])  # of the second, which has ended


def test_the_files_of_dead_processes_follow_ones_own(tmp_path: Path) -> None:
    first, second, third = (spool_rows(count) for count in (2, 3, 1))
    with closing(Spool(tmp_path, 100)) as a, closing(Spool(tmp_path, 100)) as b, closing(Spool(tmp_path, 100)) as c:
        for spool, written in ((a, first), (b, second), (c, third)):
            spool.append(written)
        b.close()
        a.close()
        with closing(Spool(tmp_path, 100)) as heir:
            assert ids(heir.peek(10)[0]) == ids(first)
            heir.advance(*heir.peek(10)[1:])
            assert (heir.rows, ids(heir.peek(10)[0])) == (3, ids(second))
            heir.advance(*heir.peek(10)[1:])
            assert (heir.rows, heir.path.exists()) == (0, False)  # the third lives
            c.close()
            heir.inherit()
            assert (heir.rows, ids(heir.peek(10)[0])) == (1, ids(third))


def test_a_torn_line_of_a_dead_process_is_ended_and_an_empty_file_goes(tmp_path: Path) -> None:
    [kept], [added] = spool_rows(1), spool_rows(1)
    with closing(Spool(tmp_path, 100)) as spool:
        spool.append([kept])
    (tmp_path / "spool-0.jsonl").rename(tmp_path / "spool-7.jsonl")
    with (tmp_path / "spool-7.jsonl").open("ab") as file:
        file.write(b'{"id": "torn')
    (tmp_path / "spool-3.jsonl").touch()
    with closing(Spool(tmp_path, 100)) as spool:
        assert spool.append([added]) == 1
        assert ids(spool.peek(10)[0]) == ids([kept, added])
        assert {path.name for path in tmp_path.glob("*.jsonl")} == {"spool-0.jsonl"}
