"""The configuration of the command that runs: what `topcook -c KEY=VALUE` says goes before all else."""

from __future__ import annotations

from collections.abc import Sequence

import click

from topcook.config import Config, load_config
from topcook.errors import ConfigError, Problem

__all__ = ["check_settings", "configuration", "refuse_mistakes", "strict_failures", "tell"]


def configuration(directory: str | None = None) -> Config:
    """What holds for a command that works in ``directory``, a network's (default: the current one)."""
    context = click.get_current_context(silent=True)
    given = context.find_root().params.get("settings") if context is not None else None
    return load_config(directory=directory, overrides=given or ())


def check_settings(_ctx: click.Context, _parm: click.Parameter, given: Sequence[str]) -> Sequence[str]:
    """The callback of ``-c``: mistakes in it end the command, whatever it is; raises ``ConfigError``."""
    if given:
        from topcook.config.words import from_command_line

        problems: list[Problem] = []
        list(from_command_line(given, problems))
        if problems:
            raise ConfigError(problems, "topcook -c KEY=VALUE: nothing was run")
    return given


def tell(config: Config) -> None:
    """What is wrong with the configuration, as warnings on stderr: for commands that only look."""
    from topcook.cli.problems import problem_text

    for problem in config.problems:
        click.echo(problem_text(problem, level="warning"), err=True)


def refuse_mistakes(config: Config) -> None:
    """For commands that act: raises ``ConfigError`` when something was said that cannot be understood.

    What was understood and may not count (a locked key, a project that would widen trust) is told as a warning, or,
    in strict mode, refused as well.
    """
    if config.mistakes:
        raise ConfigError(config.problems, "the configuration has mistakes; nothing was run")
    failures = strict_failures(config, config.problems)
    if failures:
        raise ConfigError(failures, f"strict mode ({config.origin_of('strict')}): nothing was run")
    tell(config)


def strict_failures(config: Config, problems: Sequence[Problem]) -> list[Problem]:
    """The problems that strict mode does not let pass; none where it is off."""
    return [problem for problem in problems if not config.exempts(problem)] if config.strict else []
