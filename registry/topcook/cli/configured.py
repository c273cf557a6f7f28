"""The configuration of the command that runs: what `topcook -c KEY=VALUE` says goes before all else."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from topcook.config import Config, load_config
from topcook.errors import ConfigError, Problem

if TYPE_CHECKING:
    from topcook.factory import Factory
    from topcook.runtime.api import GraphContext

__all__ = [
    "check_settings",
    "configuration",
    "load_configured",
    "refuse_mistakes",
    "strict_failures",
    "strict_failures_of",
    "tell",
]


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
    _tell(config.problems)


def _tell(problems: Iterable[Problem]) -> None:
    from topcook.cli.problems import problem_text

    for problem in problems:
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


def strict_failures(config: Config, problems: Iterable[Problem]) -> list[Problem]:
    """The problems that strict mode does not let pass; none where it is off."""
    return [problem for problem in problems if not config.exempts(problem)] if config.strict else []


def strict_failures_of(factory: Factory) -> list[Problem]:
    """The same of all that a factory found: the configuration, the types path, and every record."""
    config = factory.config
    if not config.strict:
        return []
    named = [(problem, record.name) for record in factory.records for problem in record.problems]
    named += [(problem, "") for problem in factory.problems]
    return list(dict.fromkeys(problem for problem, name in named if not config.exempts(problem, name)))


def load_configured(network: str, *, to_run: bool = False, **options: Any) -> GraphContext:
    """The graph context of a network file; ``options`` are those of ``load_network``.

    ``to_run`` says that it will be cooked: mistakes of the configuration are an error then, and in strict mode every
    problem of a types file, too. Otherwise they are told as warnings.
    """
    from pathlib import Path

    from topcook.factory import Factory, check_pdg_is_ours
    from topcook.model.graphfile.source import check_regular
    from topcook.runtime.netfile import load_network

    check_pdg_is_ours()
    # Before types are looked for, which may take a while.
    check_regular(Path(network))
    config = configuration(os.path.dirname(os.path.abspath(network)))
    if to_run:
        refuse_mistakes(config)
    else:
        tell(config)
    factory = Factory.scan(config=config)
    if to_run:
        failures = strict_failures_of(factory)
        if failures:
            raise ConfigError(failures, f"strict mode ({config.origin_of('strict')}): nothing was run")
    # What author code asks pdg.TypeRegistry.types() for.
    factory.registry.adopt_thread()
    context = load_network(network, factory=factory, config=config, **options)
    if not to_run:
        _tell(context.core.config_problems)
        return context
    try:
        context.core.refuse_config()
    except ConfigError:
        context.close()
        raise
    return context
