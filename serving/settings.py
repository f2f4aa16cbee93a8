"""What a deployment may change, read from the environment so that BentoML's worker process sees it too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from data.errors import ConfigError, InputError
from data.rim import parse

PREFIX = "YUJING_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`bundle`: a directory, or None for the shipped one; `engine`: onnx (fast) or torch (the reference);
    `threads` of the engine, 0 = one per core.
    """

    bundle: Path | None = None
    engine: Literal["onnx", "torch"] = "onnx"
    threads: Annotated[int, Field(ge=0)] = 0

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read YUJING_BUNDLE, YUJING_ENGINE, YUJING_THREADS; ConfigError for an unusable value."""
        env = os.environ if env is None else env
        given = {name: env[PREFIX + name.upper()] for name in cls.__slots__ if env.get(PREFIX + name.upper())}
        try:
            return parse(cls, given)
        except InputError as error:
            raise ConfigError(f"{PREFIX}* environment variables: {error}") from None

    def to_env(self) -> dict[str, str]:
        """Write the same settings for a child process; the bundle's path is made absolute."""
        bundle = {} if self.bundle is None else {PREFIX + "BUNDLE": str(self.bundle.absolute())}
        return {**bundle, PREFIX + "ENGINE": self.engine, PREFIX + "THREADS": str(self.threads)}
