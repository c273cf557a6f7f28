"""Goes through the sub-items of a batch inside its one job, and tells the cook of each."""

import os
import sys
import time
import traceback

from pdgjob import _ask, _report
from pdgjob._link import RpcError
from pdgjob._paths import fileStem, localizePath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from pdgjob.pdgjson import WorkItem

#: States in which a sub-item is done already (pdg.workItemState).
DONE = (6, 7)
#: How many lines of a failed sub-item's log the batch's own log shows.
TAIL = 20


def each(batch: "WorkItem", work: "Callable[[WorkItem], str]") -> int:
    """Call ``work`` for each sub-item that may start, in order; answers how many did not succeed.

    ``work`` returns why it failed, or nothing; what it raises is a failure, too. Each one's output goes to a log of its
    own. A sub-item whose turn has not come is waited for; one that never can start is left, and the others go on.
    """
    bad = 0
    for item in batch.batchItems:
        if item.state in DONE:
            continue
        key, index = item.reportAddress()
        if not _ask.waitUntilReady(key, index, raise_exc=False):
            _say("%s is left: what it needs has failed, or it was canceled" % item.name)
            bad += 1
            continue
        bad += not _one(item, work)
    return bad


def _one(item: "WorkItem", work: "Callable[[WorkItem], str]") -> bool:
    key, index = item.reportAddress()
    log = _log_of(item)
    _say("%s starts%s" % (item.name, "; its log: %s" % log if log else ""))
    _report.workItemStartCook(key, index, to_stdout=False)
    before = dict(os.environ)
    os.environ.update(_environment(item))
    began = time.monotonic()
    output = _Output(log)
    try:
        reason = work(item)
    except RpcError as problem:
        reason = str(problem)
    finally:
        output.close()
        os.environ.clear()
        os.environ.update(before)
    took = time.monotonic() - began
    if not reason:
        _say("%s succeeded in %.2f s" % (item.name, took))
        _report.workItemSuccess(key, index, to_stdout=False, duration=took)
        return True
    _say("%s failed: %s" % (item.name, reason))
    sys.stdout.write(_tail(log))
    _report.workItemAppendLog("%s\n" % reason, 0, key, index)
    _report.workItemFailed(item.id if item.id > 0 else item.name, to_stdout=False)
    return False


def python_failure(function: "Callable[[], Any]") -> str:
    """Call it; why it failed, empty when it did not. The traceback goes to the error stream."""
    try:
        function()
    except SystemExit as end:
        return "" if end.code in (None, 0) else "exit status %s" % end.code
    except BaseException as problem:  # noqa: BLE001 - a frame's mistake must not cost the other frames
        traceback.print_exc()
        return "%s: %s" % (type(problem).__name__, problem)
    return ""


def _environment(item: "WorkItem") -> "dict[str, str]":
    """What a job of this sub-item alone would have; its batch stays known by PDG_BATCH_ID and PDG_BATCH_NAME."""
    variables = {
        "PDG_BATCH_ID": os.environ.get("PDG_ITEM_ID", ""),
        "PDG_BATCH_NAME": os.environ.get("PDG_ITEM_NAME", ""),
        "PDG_BATCH_INDEX": str(item.batchIndex),
        "PDG_ITEM_NAME": item.name,
        "PDG_ITEM_ID": str(item.id),
        "PDG_ITEM_LABEL": item.label or item.name,
        "PDG_INDEX": str(item.index),
        "PDG_INDEX4": "%04d" % item.index,
    }
    variables.update(item.exportedAttributes())
    return variables


def _log_of(item: "WorkItem") -> str:
    folder = os.environ.get("PDG_TEMP", "")
    folder = os.path.join(localizePath(folder), "logs") if folder else ""
    return os.path.join(folder, fileStem(item.name) + ".log") if folder and os.path.isdir(folder) else ""


def _tail(log: str) -> str:
    try:
        with open(log, encoding="utf-8", errors="backslashreplace") as stream:
            return "".join("    %s\n" % line.rstrip("\n") for line in stream.readlines()[-TAIL:])
    except OSError:
        return ""


def _say(text: str) -> None:
    sys.stdout.write("topcook: %s\n" % text)
    sys.stdout.flush()


class _Output:
    """Sends what this process and its children write to a file, until it is closed."""

    def __init__(self, path: str) -> None:
        self._kept = []  # type: list[int]
        _flush()
        if not path:
            return
        try:
            target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError:
            return
        for stream in (1, 2):
            self._kept.append(os.dup(stream))
            os.dup2(target, stream)
        os.close(target)

    def close(self) -> None:
        """Write to the batch's own log again."""
        _flush()
        for stream, kept in zip((1, 2), self._kept):
            os.dup2(kept, stream)
            os.close(kept)
        self._kept = []


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
