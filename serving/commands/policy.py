"""`yujing policy simulate`: what the risk policy would have raised on recorded history."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from serving.commands.options import require_training
from serving.commands.train import Config, Head, Set, read_settings

policy = typer.Typer(help="Try the risk policy out on recorded volumes.", no_args_is_help=True)
SERVED = ("bundle", "policy", "signals")  # settings that the service has, too

Folder = Annotated[
    str | None, typer.Option("--out", help="Directory for the figures and the picture.", show_default="runs/policy")
]


@policy.callback()
def _group() -> None:
    """Keeps `simulate` a command of a group while it is the only one."""


@policy.command()
def simulate(head: Head = "counts", config: Config = None, set_: Set = None, out: Folder = None) -> None:
    """Replay history: alerts, misses, precision, false alarms per day and lead time per risk level; a picture.

    Bundle, policy and lexicon are those of --set or --config, else those that YUJING_BUNDLE, YUJING_POLICY and
    YUJING_SIGNALS name, else the shipped ones.
    """
    require_training()
    from dataclasses import replace

    from serving.settings import Settings
    from training.config import load_config
    from training.escalation_simulate import simulate as run
    from training.escalation_simulate_config import SimulateConfig

    flags = {**read_settings(set_ or ()), **({} if out is None else {"out": out})}
    given, served = load_config(SimulateConfig, config, flags), Settings.from_env()
    usual: dict[str, Any] = {
        name: str(path) for name in SERVED if (path := getattr(served, name)) and not getattr(given, name)
    }
    run(head, replace(given, **usual))
