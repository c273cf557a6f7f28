"""``topcook cook``: cook a network, show how it goes, say how it ended."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import click

from topcook.cli.ending import print_summary
from topcook.cli.feed import Feed, View
from topcook.cli.guard import COOKED, INTERRUPTED, LET_GO, UNCOOKED
from topcook.cli.interrupts import Early, Interrupts, catches_signals
from topcook.cli.keeping import how_of, journal_options
from topcook.cli.limits import limit, limit_options
from topcook.cli.options import load, network_options
from topcook.cli.problems import print_error
from topcook.cli.resuming import resume_options, settings_of
from topcook.cli.shown import NoView, Shown
from topcook.cli.terminal import Terminal
from topcook.errors import CookRefusedError, ProblemsError
from topcook.model.collector import program_is_loaded
from topcook.runtime import strays
from topcook.runtime.journal.keeping import How, keep_cook
from topcook.runtime.lastcook import write_last_cook
from topcook.runtime.resume import Settings
from topcook.runtime.resume.taking import remember, resumed
from topcook.runtime.tokens import new_cook_id

if TYPE_CHECKING:
    from topcook.cli.onlyend import Ending
    from topcook.runtime.api import GraphContext
    from topcook.runtime.control.opening import CookDoor
    from topcook.runtime.cook import Cook
    from topcook.runtime.journal import Past
    from topcook.runtime.journal.identity import Identity
    from topcook.runtime.statusfile import StatusFile

#: How often a cook is looked at, in seconds.
_PERIOD = 0.1


@click.command("cook")
@network_options
@click.option("--dry-run", is_flag=True, help="Show what would be run, as `topcook expand` does, and run nothing.")
@click.option(
    "--progress",
    type=click.Choice(["auto", "bar", "plain", "json", "off"]),
    default="auto",
    show_default=True,
    help="How to show how it goes; json writes one object an event to standard output.",
)
@click.option("--report", metavar="FILE", help="Write what became of each item as JSON; - is standard output.")
@click.option("--status", metavar="FILE", help="Keep this JSON file up to date with how far it is.")
@journal_options
@resume_options
@limit_options
@click.option(
    "--detach",
    is_flag=True,
    help="End once all that is left is with farms that go on by themselves; topcook resume goes on with it.",
)
@click.option("--debug", is_flag=True, help="No time-outs, no bar, and the terminal for callbacks: breakpoint() works.")
@click.option(
    "--trace-callbacks",
    is_flag=True,
    help="Write each callback (arguments, return, milliseconds) and each notification into the scheduler's log.",
)
@click.option("-v", "--verbose", is_flag=True, help="Also tell what starts, what logs say, and messages.")
@catches_signals
def command(
    *,
    early: Early,
    network: str,
    dry_run: bool,
    progress: str,
    report: str | None,
    status: str | None,
    detach: bool,
    debug: bool,
    trace_callbacks: bool,
    verbose: bool,
    **options: Any,
) -> int:
    """Cook a TOP network.

    NETWORK is a network file (.toml, .json). Its display node is cooked, without one all nodes at the end, or
    those that --node names, with all they depend on. Ctrl-C cancels: jobs end, the report is still written;
    a second Ctrl-C kills.

    Exit status: 0 all items cooked, 1 some failed, were blocked or canceled, 2 bad input, 3 it was let go
    (--detach, topcook detach) while farms have items of it, 130 interrupted.

    \b
    Example:
        topcook cook network.toml
        topcook cook network.toml --scheduler myfarm --override render=local --report report.json
    """
    if report == "-" and progress == "json":
        raise click.UsageError("--report - and --progress json both want standard output; give the report a file")
    if detach and options["no_journal"]:
        raise click.UsageError("--detach leaves the rest to `topcook resume`, and --no-journal keeps nothing for it")
    told = _status_file(status, network, report) if status and not dry_run else None
    context = load(network, options, to_run=not dry_run)
    limit(context, options)
    if dry_run:
        return _show_plan(context, network, options, quiet=not debug)
    if report not in {None, "-"}:
        from topcook.runtime.report import check_report_path

        check_report_path(str(report))
        # Author code may change the current directory.
        report = os.path.abspath(str(report))
    context.core.debug = debug
    context.core.trace = trace_callbacks
    session = _Session(context, early, progress=progress, report=report, debug=debug, verbose=verbose)
    session.how, session.network = how_of(options), network
    session.settings = settings_of(options)
    session.told = told
    session.only_ends = options["only_end"]
    session.detach = detach
    return session.run(options["nodes"])


def _show_plan(context: GraphContext, network: str, options: dict[str, Any], *, quiet: bool) -> int:
    from topcook.cli.expand import show_plan
    from topcook.cli.plan import make_plan
    from topcook.cli.resuming import dry_memory, verdicts_text

    memory = dry_memory(context.core, network, settings_of(options))
    plan = make_plan(context, options["nodes"], quiet=quiet, memory=memory)
    lines = verdicts_text(plan, memory) if memory is not None else []
    show_plan(plan, None, as_json=False)
    click.echo("\n".join(lines), nl=bool(lines))
    return COOKED


class _Session:
    """One cook from the command line."""

    def __init__(
        self,
        context: GraphContext,
        early: Early,
        *,
        progress: str,
        report: str | None,
        debug: bool,
        verbose: bool,
    ) -> None:
        self.context = context
        self.early = early
        self.terminal = Terminal()
        self.told: StatusFile | None = None
        self.report = report
        self.debug = debug
        self.verbose = verbose
        self.logs = ""
        self.unwritten = False
        self.how = How()
        self.network = ""
        self.settings = Settings()
        self.identity: Identity | None = None
        #: The cook's id where it can go on after its end, as `topcook resume` takes it.
        self.goes_on = ""
        self.only_ends = self.detach = False
        self.door: CookDoor | None = None
        self.progress = _progress(progress, debug=debug)

    def run(self, nodes: tuple[str, ...]) -> int:
        """Cook; answers the exit status."""
        # Before author code is: what that leaves open may have to be found, and closed, as the process ends.
        program_is_loaded()
        feed = Feed()
        self.context.observe(feed)
        with self.early.held():
            cook = self._prepare(nodes)
        cook.link.all_uris = self.report is not None
        try:
            with nullcontext() if self.debug else self._quiet():
                interrupted = self._watch(cook, feed)
        finally:
            self._keep_output()
        return self._status(cook, interrupted=interrupted)

    def _prepare(self, nodes: tuple[str, ...]) -> Cook:
        """The cook, which is kept from here on, and the only one of its kind."""
        core = self.context.core
        core.refuse_config()
        cook_id: str = new_cook_id()
        past: Past | None = None
        if self.settings.resume:
            cook_id, past = resumed(core, self.network, self.settings)
        kept = keep_cook(core, self.network, cook_id, self.how)
        try:
            memory = remember(core, kept, past, self.settings)
            cook = self.context.prepare(nodes, recorder=kept.recorder, cook_id=kept.cook_id, memory=memory)
        except BaseException:
            # Whatever refused it: the journal and its lock must not look like a cook that runs.
            kept.recorder.close("refused")
            raise
        kept.watch(cook)
        self.identity = kept.identity
        self.goes_on = kept.cook_id if kept.journal else ""
        return cook

    def _watch(self, cook: Cook, feed: Feed) -> bool:
        """Cook and show it; answers whether a signal ended it."""
        try:
            view = self._view(cook)
        except OSError:
            view = NoView()

        def leave() -> None:
            view.close()
            with suppress(OSError, ValueError):
                # The signal may have come in the middle of writing to the stream.
                os.write(self.terminal.err.fileno(), b"killed: topcook cooks shows what is left of it, as on a farm\n")

        interrupts = Interrupts(cook, leave)
        interrupted = False
        # To the very end: a report that is being written is not lost to a terminal that is closed now.
        with interrupts.caught(self.early):
            try:
                self._cook(cook, Shown(feed, view, interrupts))
            finally:
                # However it ended: the report tells how far it came, and every scheduler gets its onStop.
                interrupted = interrupts.happened
                self._end(cook, view, interrupted=interrupted)
                self._shut_door()
        return interrupted

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Have the terminal alone, and what onStart and onStop print in the schedulers' logs, too."""
        with self.terminal.taken():
            strays.install()
            root = logging.getLogger()
            before = root.level
            root.setLevel(self.context.core.config.log_level.upper())
            try:
                yield
            finally:
                root.setLevel(before)
                strays.uninstall()

    def _cook(self, cook: Cook, shown: Shown) -> None:
        try:
            look = shown.while_opening(self.context.core)
            # It may have been asked to end before there was anything to look at.
            look()
            self.context.open_schedulers(cook, look)
        except CookRefusedError as error:
            # Told like everything else that goes wrong in a cook, and so in its report.
            cook.refuse(str(error))
            shown.close()
            return
        ending = self._ending(cook)
        if self.detach:
            cook.detach()
        cook.start()
        try:
            while not cook.wait(_PERIOD):
                self._open_door(cook)
                shown.update()
                if ending is not None:
                    ending.look()
                if self.told is not None:
                    self.told.update(cook)
        except BaseException as error:
            # Where it was the cook that broke, it has ended. Else nothing may be told of it before it has.
            cook.cancel(f"what showed it broke: {error}")
            with suppress(Exception):
                cook.wait()
            raise
        finally:
            shown.close()

    def _ending(self, cook: Cook) -> Ending | None:
        if not self.only_ends:
            return None
        from topcook.cli.onlyend import Ending

        return Ending(cook, self.goes_on, click.get_current_context().obj)

    def _open_door(self, cook: Cook) -> None:
        """Let it be controlled from outside; a cook that is over in a moment does without."""
        if self.door is None and self.identity is not None:
            from topcook.runtime.control.opening import CookDoor

            self.door = CookDoor(cook, self.identity)

    def _shut_door(self) -> None:
        if self.door is not None:
            self.door.close()

    def _view(self, cook: Cook) -> View:
        if self.progress == "bar":
            from topcook.cli.bar import BarView

            return BarView(cook, self.terminal, verbose=self.verbose)
        if self.progress == "json":
            from topcook.cli.jsonlines import JsonView

            return JsonView(cook, self.terminal)
        from topcook.cli.plain import PlainView

        return PlainView(cook, self.terminal, verbose=self.verbose, items=self.progress != "off")

    def _end(self, cook: Cook, view: View, *, interrupted: bool) -> None:
        logs = (host.directories.log_dir(local=True) for host in self.context.core.hosts())
        self.logs = next((folder for folder in logs if os.path.isdir(folder)), "")
        if cook.outcome == "refused":
            self._leave(cook, interrupted=interrupted)
            return
        if self.progress == "json":
            view.ended(interrupted=interrupted)  # type: ignore[attr-defined]
        self._write_report(cook, interrupted=interrupted)
        write_last_cook(cook)
        stream = self.terminal.err if self.progress == "json" or self.report == "-" else self.terminal.out
        try:
            print_summary(cook, stream, interrupted=interrupted, goes_on=self.goes_on)
        except OSError:
            # Nobody reads any more: the report and the exit status still tell.
            self.progress = "off"
        self._leave(cook, interrupted=interrupted)

    def _leave(self, cook: Cook, *, interrupted: bool) -> None:
        """Have the schedulers leave; only then is it over for who waits for the status."""
        self.context.close()
        if self.told is not None:
            self.told.ended(cook, interrupted=interrupted)

    def _write_report(self, cook: Cook, *, interrupted: bool) -> None:
        if self.report is None:
            return
        from topcook.runtime.report import print_report, write_report

        try:
            if self.report == "-":
                print_report(cook, self.terminal.out, interrupted=interrupted)
            else:
                write_report(cook, self.report, interrupted=interrupted)
        except OSError as error:
            self.unwritten = True
            print_error(
                f'the report could not be written to "{self.report}": {error.strerror or error}', self.terminal.err
            )

    def _keep_output(self) -> None:
        """Leave what programs printed that callbacks started where the schedulers' logs are."""
        with suppress(OSError):  # nobody reads any more
            self._tell_output(self.terminal.keep(self.logs))

    def _tell_output(self, kept: str) -> None:
        if kept and self.verbose:
            click.echo(f"what else was printed: {kept}", err=True)
        if self.context.core.trace and self.logs:
            click.echo(f"callbacks: {os.path.join(self.logs, 'scheduler_*.log')}", err=True)

    def _status(self, cook: Cook, *, interrupted: bool) -> int:
        if cook.outcome == "refused":
            raise ProblemsError(cook.generation_problems, "the work items cannot be made; nothing was run")
        if cook.outcome == "cooked":
            # Who asked for a report and got none must not take this for a success.
            return UNCOOKED if self.unwritten else COOKED
        if cook.outcome == "detached":
            return LET_GO
        return INTERRUPTED if interrupted else UNCOOKED


def _status_file(path: str, network: str, report: str | None) -> StatusFile:
    from topcook.runtime.report import check_report_path
    from topcook.runtime.statusfile import StatusFile

    check_report_path(path)
    return click.get_current_context().with_resource(StatusFile(path, network, report))


def _progress(asked: str, *, debug: bool) -> str:
    if asked not in {"auto", "bar"}:
        return asked
    if debug:
        return "plain"
    if asked == "bar":
        return "bar"
    live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return "bar" if live else "plain"
