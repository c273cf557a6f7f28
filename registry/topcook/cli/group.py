"""The command ``topcook`` itself: which commands there are, how they are found, and how their errors end."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from typing import Any

import click

from topcook import __version__
from topcook.cli.guard import guarded, prepare_streams
from topcook.lean import NamedTuple
from topcook.model.collector import program_is_loaded


class Row(NamedTuple):
    """A command: its section of the help, its name, the module whose ``command`` it is, what it does in one line."""

    section: str
    name: str
    module: str
    help: str


#: All commands, in the order of the help.
COMMANDS: tuple[Row, ...] = (
    Row("Cook", "cook", "topcook.cli.cook", "Cook a TOP network."),
    Row("Cook", "resume", "topcook.cli.resume", "Go on with a cook that was ended."),
    Row("Cook", "preflight", "topcook.cli.preflight", "Send a tiny job through each scheduler of a network."),
    Row("Cook", "submit", "topcook.cli.submit", "Submit a whole network as one job."),
    Row("Running", "cooks", "topcook.cli.cooks", "Show which cooks run, which died, and how the last ones ended."),
    Row("Running", "status", "topcook.cli.status", "Show how far a submitted cook is."),
    Row("Running", "pause", "topcook.cli.pause", "Have a running cook begin nothing new."),
    Row("Running", "unpause", "topcook.cli.unpause", "Let a paused cook go on."),
    Row("Running", "detach", "topcook.cli.detach", "Let go of a cook whose jobs farms keep."),
    Row("Running", "cancel", "topcook.cli.cancel", "End a running cook, or what a dead one left running."),
    Row("Running", "report", "topcook.cli.report", "Write the report of a cook that ended, however it ended."),
    Row("Look", "expand", "topcook.cli.expand", "Show what each work item of a network would run, and why there."),
    Row("Look", "logs", "topcook.cli.logs", "Show what the job of a work item printed in the last cook."),
    Row("Look", "map", "topcook.cli.map_path", "Show what a path is called on another machine, and why."),
    Row("Look", "explain", "topcook.cli.explain", "Say which scheduler cooks a node, why, and what can be overridden."),
    Row("Look", "config", "topcook.cli.config", "Show the configuration: each value, and who says so."),
    Row("Look", "completion", "topcook.cli.completion", "Print what makes a shell complete commands by TAB."),
    Row("Types", "list", "topcook.cli.list_types", "List the schedulers and node types that can be chosen."),
    Row("Types", "paths", "topcook.cli.paths", "Show where types are looked for, and how it is there."),
    Row("Types", "doctor", "topcook.cli.doctor", "Say why a type is (not) in the menu, and what to do next."),
    Row("Types", "tab", "topcook.cli.tab.command", "Choose a scheduler in the TAB menu."),
    Row("Types", "index", "topcook.cli.index", "Show, make anew or remove what is kept of types files."),
    Row("Types", "watch", "topcook.cli.watch", "Tell what happens to types as their files are saved."),
    Row("Author", "new", "topcook.cli.new", "Write a scheduler file that works, to change into yours."),
    Row("Author", "dev", "topcook.cli.dev", "Check a types file and cook with it, again at each save."),
    Row("Author", "save", "topcook.cli.save", "Save a Python Scheduler node as a scheduler file."),
    Row("Author", "check", "topcook.cli.check", "Find every mistake in scheduler files and networks."),
    Row("Author", "install", "topcook.cli.install", "Put a types file where every network finds it."),
    Row("Author", "uninstall", "topcook.cli.uninstall", "Take out what install put in."),
    Row("Author", "pack", "topcook.cli.pack", "Turn a types file into a project that pip installs."),
)
SECTIONS: tuple[str, ...] = ("Cook", "Running", "Look", "Types", "Author")

_ABOUT = """Cook TOP networks with any PDG scheduler, chosen by name.

\b
    topcook list
    topcook cook network.toml
    topcook cook network.toml --scheduler myfarm

Types are found in the folders of PDG_TYPES_PATH, in installed packages, and among the built-in ones."""


class TopcookGroup(click.Group):
    """The group of all commands, each of them imported when it is called."""

    def __init__(self) -> None:
        """Know the names only."""
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
        super().__init__("topcook", help=_ABOUT, context_settings=settings, subcommand_metavar="COMMAND [ARGUMENT]...")
        self.params += [_settings_option(), _version_option()]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the help."""
        return [row.name for row in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        row = next((row for row in COMMANDS if row.name == cmd_name), None)
        if row is None:
            return None
        command: click.Command = importlib.import_module(row.module).command
        program_is_loaded()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; one that does not exist is answered with the closest."""
        name = args[0] if args else ""
        if self.get_command(ctx, name) is None and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f'there is no command "{name}"\n    {_closest(name)}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, section by section, without importing any."""
        for section in SECTIONS:
            # One width for all, so that the sections read as one table.
            width = max(len(row.name) for row in COMMANDS)
            rows = [(row.name.ljust(width), row.help) for row in COMMANDS if row.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and end the process with the exit status; whatever goes wrong is told in our own form."""

        def run() -> Any:
            return super(TopcookGroup, self).main(
                args,
                prog_name or "topcook",
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )

        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            extra.setdefault("color", False)
        if not standalone_mode:
            return run()
        prepare_streams()
        raise SystemExit(guarded(run, args))


def _closest(name: str) -> str:
    import difflib

    names = [row.name for row in COMMANDS]
    close = difflib.get_close_matches(name.lower(), names, 2, 0.5)
    if not close and os.path.isfile(name):
        return f"did you mean: topcook {'check' if name.endswith('.py') else 'cook'} {name}"
    if close:
        return "did you mean " + " or ".join(f'"{each}"' for each in close) + "?"
    return f"there are: {', '.join(names)}"


def _settings_option() -> click.Option:
    def checked(ctx: click.Context, parm: click.Parameter, given: Sequence[str]) -> Sequence[str]:
        if not given or ctx.resilient_parsing:
            return given
        from topcook.cli.configured import check_settings

        return check_settings(ctx, parm, given)

    return click.Option(
        ["-c", "settings"],
        multiple=True,
        metavar="KEY=VALUE",
        callback=checked,
        help="Set a key of the configuration for this command; topcook config shows them.",
    )


def _version_option() -> click.Option:
    def show(ctx: click.Context, _parm: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            click.echo(f"topcook {__version__}")
            ctx.exit()

    callback: Callable[[click.Context, click.Parameter, bool], None] = show
    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=callback, help="Show the version."
    )


#: The command itself.
topcook = TopcookGroup()
