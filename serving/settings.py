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
    """`bundle`: a directory, or None for the shipped one; `engine`: int8 (fast), bf16, onnx (fp32) or torch (the
    reference); `threads` of the engine, 0 = one per core; `watch_words`: a file with one word or name per line.
    """

    bundle: Path | None = None
    watch_words: Path | None = None
    engine: Literal["int8", "bf16", "onnx", "torch"] = "int8"
    threads: Annotated[int, Field(ge=0)] = 0

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **flags: object) -> Settings:
        """Read YUJING_BUNDLE, YUJING_WATCH_WORDS, YUJING_ENGINE, YUJING_THREADS; a flag that is not None wins.

        ConfigError for an unusable value.
        """
        env = os.environ if env is None else env
        given = {name: env[PREFIX + name.upper()] for name in cls.__slots__ if env.get(PREFIX + name.upper())}
        try:
            return parse(cls, {**given, **{name: value for name, value in flags.items() if value is not None}})
        except InputError as error:
            raise ConfigError(f"{PREFIX}* environment variables: {error}") from None

    def to_env(self) -> dict[str, str]:
        """Write the same settings for a child process; paths are made absolute."""
        paths = {"BUNDLE": self.bundle, "WATCH_WORDS": self.watch_words}
        given = {PREFIX + name: str(path.absolute()) for name, path in paths.items() if path is not None}
        return {**given, PREFIX + "ENGINE": self.engine, PREFIX + "THREADS": str(self.threads)}

    def read_watch_words(self) -> list[str]:
        """The words of the file, without blank lines and lines that begin with #; ConfigError when unreadable."""
        if self.watch_words is None:
            return []
        try:
            lines = self.watch_words.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"watch words {self.watch_words}: {error}: give a UTF-8 text file") from None
        return [word for line in lines if (word := line.strip()) and not word.startswith("#")]
