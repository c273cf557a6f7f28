"""The command line: one module per command, imported when its command is called."""

from __future__ import annotations

from topcook.cli.group import TopcookGroup

__all__ = ["main"]

main = TopcookGroup()
