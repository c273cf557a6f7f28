"""How a command ends: errors in our own form, and an exit status that means something."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from topcook.errors import InternalError, InvalidTransition, RecorderError, TopcookError

#: Exit statuses.
COOKED, UNCOOKED, BAD_INPUT, LET_GO, BROKEN, INTERRUPTED = 0, 1, 2, 3, 70, 130


def prepare_streams() -> None:
    """Have standard streams, whatever we were started with, that no name can break which they cannot show."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # Closed by the caller: the next file opened would get its number, and our output.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(1, "w", closefd=False, encoding="utf-8")  # noqa: SIM115 - open to the end
    sys.stderr = sys.stderr or open(2, "w", closefd=False, encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def guarded(run: Callable[[], Any], args: Sequence[str] | None) -> int:
    """Run a command; answers the exit status, having told what went wrong."""
    debug = "--debug" in (sys.argv[1:] if args is None else args) or bool(os.environ.get("TOPCOOK_DEBUG"))
    try:
        status = run()
        _let_go_of_closed_streams()
        return status if isinstance(status, int) else COOKED
    except BrokenPipeError:
        return _nobody_reads()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else UNCOOKED
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        _show_usage(error)
        return BAD_INPUT
    except Exception as error:  # noqa: BLE001 - the last line of defence: a traceback is no message
        if debug:
            import traceback

            traceback.print_exc()
        return _tell(error)


def _tell(error: Exception) -> int:
    if isinstance(error, InternalError | InvalidTransition):
        print_error(f"{error}\n    this is a bug in Topcook; please report it")
        return BROKEN
    if isinstance(error, TopcookError):
        print_error(error)
        return UNCOOKED if isinstance(error, RecorderError) else BAD_INPUT
    if isinstance(error, OSError):
        where = f'"{error.filename}": ' if error.filename else ""
        print_error(f"{where}{error.strerror or error}")
        return BAD_INPUT
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    print_error(
        f"{type(error).__name__}: {error}\n    at {frame.filename}:{frame.lineno}\n"
        "    this is a bug in Topcook; TOPCOOK_DEBUG=1 shows the whole traceback, please report it"
    )
    return BROKEN


def _show_usage(error: click.ClickException) -> None:
    context: click.Context | None = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return
    print_error(error.format_message())
    if context is not None:
        click.echo(f"{context.get_usage()}\nhelp: {context.command_path} --help", err=True)


def _nobody_reads() -> int:
    """The reader of our output has gone (``| head``): end quietly."""
    with contextlib.suppress(OSError):
        _let_go_of_closed_streams()
    return COOKED


def _let_go_of_closed_streams() -> None:
    """Lead what cannot be written any more (no reader, a terminal that was closed) nowhere, or Python fails over it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            if error.errno not in {errno.EPIPE, errno.EIO}:
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def print_error(error: Exception | str) -> None:
    """Print an error; how errors look is read only where there is one."""
    from topcook.cli import problems

    problems.print_error(error)
