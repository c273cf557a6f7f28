"""The command line: one module per command, imported when its command is called."""

from __future__ import annotations

import sys

# No more than this at the top: an answer that was kept is printed before anything else is imported.

__all__ = ["main"]


def main(args: list[str] | None = None, prog_name: str | None = None) -> None:
    """Run ``topcook`` with ``args`` (default: those of the process) and end the process with its exit status."""
    words = sys.argv[1:] if args is None else list(args)
    try:
        if words[:1] == ["list"]:
            from topcook.cli.answers import answered

            status = answered(words)
            if status is not None:
                raise SystemExit(status)
        if args is None:
            from topcook.model.collector import one_command

            one_command()
        from topcook.cli.group import topcook
    except KeyboardInterrupt:
        # Before there is anybody who could say so in our own form.
        sys.stderr.write("interrupted\n")
        raise SystemExit(130) from None
    topcook.main(args, prog_name)
