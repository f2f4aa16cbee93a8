"""Volumes made in Python: no reader of requests or files has checked their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from numbers import Integral

from data.errors import InputError
from data.records import ARRAYS, MAX_AMOUNT, Volume
from data.rim import parse

LEAST = {"rank": 1}  # of an array whose values do not begin at 0


def refuse_unsound(volume: Volume) -> None:
    """InputError with the place of a value that a request may not hold.

    A nan in a bin shorter than an hour made every later hour unknown, and -5 or infinitely many posts got a likelihood.
    """
    if _sound(volume):
        return
    minutes = volume.interval_minutes
    if not isinstance(minutes, Integral):  # 60.0, which a request may hold, is read as 60 there
        raise InputError(f"volume.interval_minutes: got {minutes!r}: give a whole number, as an int")
    try:
        parse(Volume, {field.name: getattr(volume, field.name) for field in fields(volume)})
    except InputError as error:
        raise InputError(f"volume.{error}") from None


def _sound(volume: Volume) -> bool:
    """Whether all that is read is within its bounds; some that is, such as a sum beyond them, is asked for again."""
    line = volume.alarm_threshold
    try:
        numbers = 1 <= volume.interval_minutes <= 1_440 and (line is None or 0 < line <= MAX_AMOUNT)
        numbers = numbers and isinstance(volume.interval_minutes, Integral)
        return numbers and all(_are_amounts(getattr(volume, name), name) for name in ARRAYS)
    except TypeError:  # texts
        return False


def _are_amounts(values: Sequence[float | None] | None, name: str) -> bool:
    """Where none is below 0, none is above the sum, which one nan makes nan."""
    known = [value for value in values if value is not None] if values is not None else []
    return not known or (min(known) >= LEAST.get(name, 0) and sum(known) <= MAX_AMOUNT)
