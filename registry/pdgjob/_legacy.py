"""Names of ``pdgcmd`` that scripts of the 17.5 days use; each leads to what replaced it."""

from pdgjob import _ask, _report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

execStartCook = _report.workItemStartCook
execItemFailed = _report.workItemFailed


def execBatchPoll(item_name: "int | str | None" = None, subindex: int = -1, server_addr: "str | None" = None) -> bool:
    """Wait until a sub-item of a batch may start."""
    return _ask.waitUntilReady(item_name, subindex, server_addr)


def execBatchSuccess(
    item_name: "int | str | None" = None, subindex: int = -1, server_addr: "str | None" = None, to_stdout: bool = True
) -> "Any":
    """A sub-item of a batch has succeeded."""
    return _report.workItemSuccess(item_name, subindex, server_addr, to_stdout)


def execCommand(command: "str | list[str]", toNull: bool = False) -> int:
    """Run a command (a text by the shell, a list without) and return its exit status; ``toNull`` drops its output.

    No public text gives the original's arguments; these are ours.
    """
    import subprocess

    target = subprocess.DEVNULL if toNull else None
    by_shell = isinstance(command, str)
    return subprocess.call(command, shell=by_shell, stdout=target, stderr=target)
