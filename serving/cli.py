"""The `yujing` command. Each command has a file; what is heavy is imported when a command runs."""

from __future__ import annotations

from typing import NoReturn

import typer

from data.command_line import run
from serving.commands.demo import demo
from serving.commands.drift import drift
from serving.commands.feedback import feedback
from serving.commands.keys import keys
from serving.commands.policy import policy
from serving.commands.score import score
from serving.commands.self_test import self_test
from serving.commands.serve import serve
from serving.commands.train import compare, evaluate, train

app = typer.Typer(
    name="yujing",
    help="Risk classification of Chinese public-opinion crises: category, severity, escalation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(score)
app.command()(serve)
app.command()(demo)
app.add_typer(keys, name="keys")
app.command("self-test")(self_test)
app.add_typer(train, name="train")
app.command()(evaluate)
app.command()(compare)
app.add_typer(feedback, name="feedback")
app.add_typer(drift, name="drift")
app.add_typer(policy, name="policy")


def main() -> NoReturn:
    """Run a command; an expected failure is one line on stderr and exit code 2, never a traceback."""
    run(app)


if __name__ == "__main__":
    main()
