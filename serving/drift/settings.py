"""Which reference the drift monitor uses, and how many posts it compares."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from data.errors import ConfigError
from models.bundle import Bundle
from serving.drift.reference import MIN_POSTS, Reference, load_reference, read_reference
from serving.environment import checked, written

VARIABLES = {"reference": "YUJING_DRIFT_REFERENCE", "window": "YUJING_DRIFT_WINDOW"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSettings:
    """`reference`: a file made by `yujing drift reference`, None = the bundle's own; `window`: newest posts."""

    reference: Path | None = None
    window: Annotated[int, Field(ge=MIN_POSTS, le=100_000)] = 2_000

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> DriftSettings:
        """Read YUJING_DRIFT_REFERENCE and YUJING_DRIFT_WINDOW; ConfigError for an unusable value."""
        env = os.environ if env is None else env
        given = {name: env[key] for name, key in VARIABLES.items() if env.get(key)}
        return checked(cls, given, lambda name: written(VARIABLES[name], given[name]))

    def to_env(self) -> dict[str, str]:
        """The file for a child process that runs elsewhere; it inherits the rest."""
        return {} if self.reference is None else {VARIABLES["reference"]: str(self.reference.absolute())}


def find_reference(settings: DriftSettings, bundle: Bundle) -> Reference | None:
    """The reference that is named, else the bundle's own, else None; ConfigError when it is another model's."""
    if settings.reference is not None:
        place = f"{VARIABLES['reference']}: {settings.reference}"
        reference = load_reference(settings.reference, place)
    elif bundle.manifest.reference:
        reference = read_reference(bundle.manifest.reference, place := str(bundle.folder))
    else:
        return None
    if reference.model != bundle.model_id:
        why = f"made for {reference.model}, this bundle is {bundle.model_id}: run `yujing drift reference` again"
        raise ConfigError(f"{place}: reference statistics {why}")
    return reference
