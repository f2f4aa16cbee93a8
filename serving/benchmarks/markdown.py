"""All tables of a run, made of its JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from data.markdown import table
from serving.benchmarks.engines import PIPELINE, TORCH
from serving.benchmarks.path import ENGINE
from serving.benchmarks.service import BARE
from serving.settings import Settings

Figures = Mapping[str, Any]


def write_markdown(found: Figures) -> str:
    """One table for each part that was run."""
    machine = found["machine"]
    head = f"{machine['cpu']}, {machine['cores']} core(s) used, load {machine['load']} before; median [range] of rounds"
    engines = "; ".join(f"`{name}`: {computed}" for name, computed in machine["engines"].items())
    tables = [TABLES[name](found[name]) for name in TABLES if name in found]
    return "\n\n".join([head, f"Engines on this CPU: {engines}.", *tables, *_cost(found)]) + "\n"


def _cost(found: Figures) -> Iterator[str]:
    """What a million posts cost on one busy core, at the price of the run."""
    price, paths = found.get("core_hour_price"), found.get("path", {}).get("shares", {})
    engines = {name: one[f"over {PIPELINE}"] for name, one in found.get("engines", {}).get("engines", {}).items()}
    rates = {name: one["rows_per_cpu_second"]["median"] for name, one in {**engines, **paths}.items()}
    if price and rates:
        rows = [[name, f"{1e6 / rate / 3600:.2f}", f"{1e6 / rate / 3600 * price:.2f}"] for name, rate in rates.items()]
        yield table(["one million posts", "core hours", f"USD at {price:g} a core hour"], rows)


def spread(value: Figures, unit: str = "") -> str:
    """Median and range over the rounds."""
    return f"{value['median']}{unit} [{value['low']}, {value['high']}]"


def _engines(found: Figures) -> str:
    rows = []
    for name, figures in found["engines"].items():
        pipeline, torch = figures[f"over {PIPELINE}"], figures[f"over {TORCH}"]
        rates = spread(pipeline["rows_per_cpu_second"]), spread(pipeline["rows_per_second"])
        rows.append([name, *rates, spread(pipeline["times_by_cpu"], "×"), spread(torch["times_by_cpu"], "×")])
    head = ["one thread", "texts per CPU second", "texts per second", "over the pipeline", "over the torch script"]
    mean = found["tokens"] / found["texts"]
    return f"{found['texts']} posts of {mean:.0f} tokens on average:\n\n{table(head, rows)}"


def _path(found: Figures) -> str:
    names = ("rows_per_cpu_second", "times_by_cpu", "times_by_clock")
    rows = [[name, *(spread(figures[key]) for key in names)] for name, figures in found["shares"].items()]
    return table(["one thread", "rows per CPU second", f"share of the {ENGINE}, by CPU", "by the clock"], rows)


def _scaling(found: Figures) -> str:
    if "left_out" in found:
        return f"Two processes were not compared with one: {found['left_out']}."
    rates = [f"{count}: {spread(rate)}" for count, rate in found["rows_per_second"].items()]
    return f"`yujing score`, rows per second by processes: {'; '.join(rates)}; ratio {spread(found['times'], '×')}."


def _volumes(found: Figures) -> str:
    names = list(next(iter(found.values()), {}))
    rows = [[f"`{head}`", *(spread(figures[name]) for name in names)] for head, figures in found.items()]
    return table(["a topic of 168 hours, ms", *names], rows)


def _service(found: Figures) -> str:
    rows: list[list[object]] = []
    for name, ms in found["one_client"].items():
        rates = (
            found["bare"].values()
            if name == BARE
            else (one["posts_per_second"] for one in found["clients"][name].values())
        )
        rows.append([name, ms["p50"], ms["p99"], *map(spread, rates)])
    head = ["one short post", "p50 ms", "p99 ms", "posts/s, 32 clients, one each", "16 each (bare: in one call)"]
    shipped = found["shipped"]
    burst, over = shipped["after_burst"], shipped["overload"]
    rest = [
        *(f"{name} was left out: {reason}." for name, reason in found.get("left_out", {}).items()),
        f"Start to ready {found['seconds_to_ready']} s; worker {found['resident_mb']} MB resident, "
        f"{found['resident_mb_after']} MB after the run.",
        f"{_as_shipped()}: " + "; ".join(_crowd(*one) for one in shipped["clients"].items()) + ".",
        f"Right after a burst: p50 {burst['after']['p50']} ms (before it {burst['before']['p50']}), "
        f"slowest {burst['after']['max']} ms.",
        f"{over['clients']} clients at once: {over['served']} served, p99 {over['served_ms'].get('p99')} ms; "
        f"{over['refused']} refused (503), p99 {over['refused_ms'].get('p99')} ms.",
        *_reposts(found),
    ]
    return "\n".join([table(head, rows), "", *rest])


def _as_shipped() -> str:
    usual = Settings()
    rate = f"by default {usual.rate:g} requests a second, {usual.burst} at once; all clients here are one caller"
    return f"As shipped, but without a rate for each caller ({rate}), it refuses rather than let callers wait"


def _reposts(found: Figures) -> Iterator[str]:
    """What a text costs that comes again; a run of an earlier version did not ask."""
    if seen := found.get("reposts"):
        yield (
            f"A repost, which is not read again: p50 {seen['again']['p50']} ms (the first time "
            f"{seen['first']['p50']}); {_crowd('reposts alone', seen['crowd'])}."
        )


def _crowd(size: str, seen: Figures) -> str:
    refused = f"{seen['refused']} of {seen['served'] + seen['refused']} requests refused (503)"
    return (
        f"32 clients, {size}, {seen['posts_per_second']['median']} posts/s, p99 {seen['ms'].get('p99')} ms, {refused}"
    )


TABLES: Mapping[str, Callable[[Figures], str]] = {
    "engines": _engines,
    "path": _path,
    "scaling": _scaling,
    "volumes": _volumes,
    "service": _service,
}
