"""What a deployment may change, read from the environment so that BentoML's worker process sees it too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from data.errors import ConfigError
from data.recent import REMEMBERED
from models.engine_name import DEFAULT, EngineName
from serving.environment import checked, written

PREFIX = "YUJING_"
FLAGS = {"keys_file": "--keys"}  # whose flag of `yujing` is not named as the setting
SECRET = {"keys"}
MAX_THREADS = 1_024  # the engine fails on numbers that no machine has, in a worker that is then started for ever

Group = Literal["probes", "metrics", "docs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a deployment; each is also an environment variable YUJING_<NAME>.

    What is served: `bundle`, a directory, or None for the shipped one; `engine`: int8 (fast), bf16, onnx (fp32) or
    torch (the reference); `threads` of the engine, 0 = one per core; `watch_words`: a file with one word per line;
    `policy`, `signals`: files of the risk policy and of the lexicon, None = the packaged ones;
    `calibration_days`: age from which a head's calibration counts as stale, None = what it was trained with;
    `remembered`: texts that were read last and are not read again when they come back (0 = none).

    Who may call: `keys_file` and `keys` hold lines of `yujing keys new`; without any, only this machine may call,
    unless `anonymous` is true. `public` groups of pages need no key (in the environment: separated by commas).

    Limits: `max_body` in bytes; `rate` in requests per second and key (0 = none), `burst` of them at once;
    `concurrency` requests to score at the same time, waiting ones included, and no more while those under way take
    longer than `patience` seconds (0 = however long they take); `body_seconds` to send a body.
    """

    bundle: Path | None = None
    watch_words: Path | None = None
    policy: Path | None = None
    signals: Path | None = None
    engine: EngineName = DEFAULT
    threads: Annotated[int, Field(ge=0, le=MAX_THREADS)] = 0
    calibration_days: Annotated[int, Field(ge=1)] | None = None
    remembered: Annotated[int, Field(ge=0)] = REMEMBERED
    keys_file: Path | None = None
    keys: str | None = None
    anonymous: bool = False
    public: tuple[Group, ...] = ("probes", "metrics", "docs")
    max_body: Annotated[int, Field(ge=1_024)] = 2 * 1024 * 1024
    rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 50
    burst: Annotated[int, Field(ge=1)] = 100
    concurrency: Annotated[int, Field(ge=1)] = 64
    patience: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5
    body_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 20

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **flags: object) -> Settings:
        """Read the YUJING_* variables; a flag that is not None wins. ConfigError for an unusable value."""
        env = os.environ if env is None else env
        given: dict[str, object] = {name: env[key] for name in cls.__slots__ if env.get(key := PREFIX + name.upper())}
        if isinstance(public := given.get("public"), str):
            given["public"] = [group.strip() for group in public.split(",") if group.strip() not in ("", "none")]
        flags = {name: value for name, value in flags.items() if value is not None}
        return checked(cls, {**given, **flags}, lambda name: _given(name, env, flags))

    def to_env(self) -> dict[str, str]:
        """Write the same settings for a child process; paths are made absolute, None hides what it would inherit."""
        return {PREFIX + field.name.upper(): _write(getattr(self, field.name)) for field in fields(self)}

    def absolute(self) -> Settings:
        """The same for a process that runs in another folder."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        paths: dict[str, Any] = {name: value.absolute() for name, value in given.items() if isinstance(value, Path)}
        return replace(self, **paths)

    def read_watch_words(self) -> list[str]:
        """The words of the file, without blank lines and lines that begin with #; ConfigError when unusable."""
        if self.watch_words is None:
            return []
        from data.signals_table import check_words

        try:
            lines = self.watch_words.read_text(encoding="utf-8-sig").splitlines()
            words = [word for line in lines if (word := line.strip()) and not word.startswith("#")]
            check_words(words)
        except (OSError, UnicodeDecodeError, ConfigError) as error:
            remedy = "" if isinstance(error, ConfigError) else ": give a UTF-8 text file"
            raise ConfigError(f"{named('watch_words')}: {self.watch_words}: {error}{remedy}") from None
        return words


def named(name: str) -> str:
    """What a setting that leads to a file is told as, when that file turns out to be unusable."""
    return f"{PREFIX}{name.upper()} or {_flag(name)}"


def _flag(name: str) -> str:
    return FLAGS.get(name, f"--{name.replace('_', '-')}")


def _given(name: str, env: Mapping[str, str], flags: Mapping[str, object]) -> str:
    variable = PREFIX + name.upper()
    source, value = (_flag(name), flags[name]) if name in flags else (variable, env.get(variable))
    return written(source, value, name in SECRET)


def _write(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Path):
        return str(value.absolute())
    if isinstance(value, tuple):
        return ",".join(value) or "none"
    return str(value)
