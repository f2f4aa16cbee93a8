"""The shipped samples are valid, varied and hang together."""

from collections import Counter
from datetime import timedelta

from data.samples import sample_examples, sample_items, sample_series
from data.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
EXAMPLES = sample_examples()
SERIES = sample_series()
ITEMS = sample_items()


def test_there_are_enough_posts_over_all_categories_and_severities() -> None:
    by_category = Counter(example.category for example in EXAMPLES)
    by_severity = Counter(example.severity for example in EXAMPLES)
    assert len(EXAMPLES) >= 140
    assert set(by_category) == set(TAXONOMY.ids)
    assert min(by_category.values()) >= 6
    assert set(by_severity) == {severity.rank for severity in TAXONOMY.severities}
    assert by_severity[3] >= 12
    assert by_severity[4] >= 12


def test_ids_and_texts_are_distinct() -> None:
    for records in (EXAMPLES, ITEMS):
        assert len({record.id for record in records}) == len(records)
        texts = [record.text for record in records if record.text is not None]
        assert len(set(texts)) == len(texts)


def test_none_is_exactly_severity_zero() -> None:
    assert all((example.category == TAXONOMY.none_id) == (example.severity == 0) for example in EXAMPLES)


def test_second_is_another_known_category() -> None:
    for example in EXAMPLES:
        assert example.second is None or example.second in TAXONOMY.ids[1:]
        assert example.second != example.category


def test_crises_of_one_category_differ_in_severity() -> None:
    crises = {(example.category, example.severity) for example in EXAMPLES if example.severity}
    ranks = Counter(category for category, _ in crises)
    assert min(ranks.values()) >= 3


def test_twelve_series_of_one_to_four_days_in_beijing_time() -> None:
    assert len({series.topic_id for series in SERIES}) == len(SERIES) == 12
    for series in SERIES:
        assert series.start.utcoffset() == timedelta(hours=8)
        assert series.interval_minutes == 60
        assert 24 <= len(series.counts) <= 96


def test_parts_never_exceed_the_whole_and_share_its_gaps() -> None:
    for series in SERIES:
        for part in (series.negative, series.authors):
            if part is None:
                continue
            for total, share in zip(series.counts, part, strict=True):
                assert (total is None) == (share is None)
                assert total is None or share is None or share <= total


def test_some_series_have_gaps() -> None:
    assert any(None in series.counts for series in SERIES)


def test_items_mix_text_and_volume() -> None:
    kinds = Counter((item.text is not None, item.volume is not None) for item in ITEMS)
    assert len(ITEMS) >= 36
    assert kinds[True, False] >= 10
    assert kinds[True, True] >= 10
    assert kinds[False, True] >= 5


def test_volumes_of_items_are_pasts_of_the_series() -> None:
    for item in ITEMS:
        if item.volume is None or item.volume.counts is None:
            continue
        counts = item.volume.counts
        begin = item.volume.as_of - timedelta(hours=len(counts))
        pasts = [series.counts[: len(counts)] for series in SERIES if series.start == begin]
        assert counts in pasts, item.id


def test_nothing_is_published_after_its_volume() -> None:
    dated = [item for item in ITEMS if item.volume and item.published_at]
    assert dated
    assert all(item.published_at <= item.volume.as_of for item in dated if item.published_at and item.volume)
