"""Runs the commands of a batch's sub-items, one after the other, in the one job of the batch.

Each runs when what it needs has cooked, in the environment that a job of its own would have, and is reported with its
times. This program is started once, so a frame costs what its command costs.
"""

import os
import subprocess
import sys

from pdgjob import _batch, pdgjson
from pdgjob._paths import TOKENS
from pdgjob._quoting import quoted


def command_of(item: "pdgjson.WorkItem") -> str:
    """The sub-item's command; one that names its inputs is put together by the cook once these are known."""
    command = item.command
    if item.isLateCommand:
        key, index = item.reportAddress()
        command = pdgjson.WorkItem.fromRPC(key, index).command
    if "__PDG_" in command:
        for token, variable in TOKENS:
            command = filled(command, token, os.environ.get(variable, token))
        command = command.replace("__PDG_PYTHON__", sys.executable)
        command = command.replace("__PDG_HYTHON__", os.environ.get("PDG_HYTHON") or "hython")
    return command


def filled(command: str, token: str, value: str) -> str:
    """The command with a token replaced, a path so that the shell reads it as it is."""
    first, *others = command.split(token)
    for other in others:
        first += quoted(value, first) + other
    return first


def run(item: "pdgjson.WorkItem") -> str:
    """Run its command in a shell; why it failed, empty when it did not."""
    status = subprocess.call(command_of(item), shell=True)  # noqa: S602 - the network's command, meant for a shell
    if status < 0:
        return "ended by signal %d" % -status
    return "exit status %d" % status if status else ""


def main() -> int:
    """Run them all; the exit status tells whether all succeeded."""
    return 1 if _batch.each(pdgjson.WorkItem.fromJobEnvironment(), run) else 0


if __name__ == "__main__":
    sys.exit(main())
