"""Bounds of the numbers in settings and manifests."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

LARGE = 1e30  # far beyond what is ever set or fitted; within, no number overflows an answer to nan

Finite = Annotated[float, Field(ge=-LARGE, le=LARGE)]
Positive = Annotated[float, Field(ge=1 / LARGE, le=LARGE)]
Weight = Annotated[float, Field(ge=0, le=LARGE)]
Share = Annotated[float, Field(ge=0, le=1)]
ProperShare = Annotated[float, Field(gt=0, lt=1)]  # some, but not all
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # numpy, scikit-learn and torch take no other
Days = Annotated[int, Field(ge=1, le=3_650)]  # with millions of them no date is left
