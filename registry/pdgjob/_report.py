"""The reports of a job: what ``pdgcmd`` offers, each function by the name and arguments that PDG gives it.

``workitem_id`` is an id or a name, by default this job's own item; ``subindex`` is the sub-item of a batch or -1;
``server_addr`` is ``host:port``, by default PDG_RESULT_SERVER. Without a server nothing is reported and nothing fails:
the cook then goes by exit statuses. ``to_stdout`` also prints a line that a farm's log can be searched for.
With ``raise_exc`` a report that fails raises RpcError, else it is said on the error stream (PDG_RPC_IGNORE_ERRORS=1
does so for all). Answers: True once recorded, None when nothing was sent.
"""

import os
import sys
import time

from pdgjob import _link
from pdgjob._link import RpcError
from pdgjob._paths import delocalizePath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    Item = Union[int, str, None]

MESSAGE_RAW = 3
_server = ""
_client = ""
_delegate = None  # type: Any
#: Whether reports of this process are kept for later (PDG_REPORT_SPOOL); None until there is one.
_spooled = None  # type: bool | None


def setResultServerAddr(server_addr: str) -> None:
    """Report to this ``host:port`` from now on, whatever PDG_RESULT_SERVER says."""
    global _server  # noqa: PLW0603 - PDG's API is one setting per process
    _server = server_addr


def setResultClientId(client_id: str) -> None:
    """Keep the id that a message queue would know this client by; PDG_RESULT_CLIENT_ID for the processes below."""
    global _client  # noqa: PLW0603 - as above
    _client = client_id
    os.environ["PDG_RESULT_CLIENT_ID"] = client_id


def setRpcDelegate(delegate: "Any") -> None:
    """Call ``delegate.<method>(*args)`` instead of a server; None goes back to the server.

    PDG_RPC_DELEGATE names a module to use so. The shape of a delegate is not documented: it gets the RPC's own names.
    """
    global _delegate  # noqa: PLW0603 - as above
    _delegate = delegate


def getItemIdFromEnv() -> "int | str":
    """This job's work item: PDG_ITEM_ID as a number, else PDG_ITEM_NAME; raises RpcError when there is neither."""
    text = os.environ.get("PDG_ITEM_ID") or os.environ.get("PDG_ITEM_NAME")
    if not text:
        raise RpcError("no work item: give its id, or set PDG_ITEM_ID or PDG_ITEM_NAME")
    return int(text) if text.isdigit() else text


def printlog(msg: str) -> None:
    """Print a line with the time before it (PDG_DISABLE_TIMESTAMPS=1: without)."""
    stamp = "" if os.environ.get("PDG_DISABLE_TIMESTAMPS", "0") == "1" else time.strftime("[%H:%M:%S] ")
    _print(stamp + msg)


def _print(line: str) -> None:
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except UnicodeEncodeError:  # a file name that is no text
        sys.stdout.write(line.encode("ascii", "backslashreplace").decode() + "\n")
    except (OSError, ValueError, AttributeError):
        pass  # the echo is a courtesy: a job whose output is closed goes on


def echo(to_stdout: bool, tag: str, *fields: "Any") -> None:
    """Print what is reported as a PDG_TAG line, for schedulers that read the output of jobs."""
    if to_stdout:
        _print("PDG_%s: %s" % (tag, ";".join([str(field) for field in fields])))


def send(method: str, args: "list[Any]", server_addr: "str | None", raise_exc: bool, with_job: bool = True) -> "Any":
    """Call the result server and return its answer: None without a server, and where errors are only told."""
    delegate = _the_delegate()
    address = server_addr or _server or os.environ.get("PDG_RESULT_SERVER", "")
    if delegate is None and (not address or os.environ.get("PDG_DISABLE_RPC", "0") == "1"):
        return None
    if with_job:
        args = [*args, _link.job_id()]
    if os.environ.get("PDG_VERBOSE", "0") == "1":
        printlog("pdgcmd: %s%r" % (method, tuple(args)))
    attempt = _link.attempt_of(args[0]) if delegate is None else None
    try:
        if delegate is not None:
            return getattr(delegate, method)(*args)
        if with_job and _keeps():
            return _spool(method, attempt, args)
        return _link.call(address, method, attempt, args)
    except RpcError as problem:
        if with_job and not isinstance(problem, _link.RpcFault) and os.environ.get("PDG_REPORT_SPOOL"):
            return _spool(method, attempt, args)
        if raise_exc and os.environ.get("PDG_RPC_IGNORE_ERRORS", "0") != "1":
            raise
        _link.complain("%s: %s" % (method, problem))
        return None


def _keeps() -> bool:
    """Whether something of this job waits to be told already: what follows goes after it."""
    global _spooled  # noqa: PLW0603 - one process, one order
    if _spooled is None:
        _spooled = os.path.exists(os.environ.get("PDG_REPORT_SPOOL") or os.devnull + "/")
    return _spooled


def _spool(method: str, attempt: "int | None", args: "list[Any]") -> None:
    """Leave a report that nobody took to the farm's job wrapper, and all that follow: they stay in order."""
    global _spooled  # noqa: PLW0603 - one process, one order
    line = _link.encode([method, attempt, *args]) + "\n"
    try:
        with open(os.environ["PDG_REPORT_SPOOL"], "a") as stream:
            stream.write(line)
    except OSError as problem:
        raise RpcError("%s is not reported, and cannot be kept for later: %s" % (method, problem)) from None
    if not _spooled:
        _link.complain("the cook does not answer; what is reported is kept for later")
    _spooled = True


def _the_delegate() -> "Any":
    if _delegate is None and os.environ.get("PDG_RPC_DELEGATE"):
        import importlib

        setRpcDelegate(importlib.import_module(os.environ["PDG_RPC_DELEGATE"]))
    return _delegate


def _item(workitem_id: "Item") -> "int | str":
    return getItemIdFromEnv() if workitem_id is None else workitem_id


def own_item(workitem_id: "Item", server_addr: "str | None") -> "int | str":
    """The item that is meant, by default the job's own; empty where there is neither item nor server."""
    # Without a server a job may have no item either, and must not fail for it.
    try:
        return _item(workitem_id)
    except RpcError:
        if server_addr or _server or os.environ.get("PDG_RESULT_SERVER"):
            raise
        return ""


def workItemStartCook(
    workitem_id: "Item" = None,
    subindex: int = -1,
    server_addr: "str | None" = None,
    to_stdout: bool = True,
    raise_exc: bool = True,
) -> "Any":
    """The item has started."""
    item = own_item(workitem_id, server_addr)
    echo(to_stdout, "START", item, subindex)
    if subindex >= 0:
        return send("start_cook_batch", [item, subindex], server_addr, raise_exc)
    return send("start_cook", [item], server_addr, raise_exc)


def workItemSuccess(
    workitem_id: "Item" = None,
    subindex: int = -1,
    server_addr: "str | None" = None,
    to_stdout: bool = True,
    raise_exc: bool = True,
    duration: float = 0.0,
) -> "Any":
    """The item has succeeded, after ``duration`` seconds (0: the cook's own clock says)."""
    item = own_item(workitem_id, server_addr)
    echo(to_stdout, "SUCCESS", item, subindex, duration)
    if subindex >= 0:
        return send("success_batch", [item, subindex, duration], server_addr, raise_exc)
    return send("success", [item, duration], server_addr, raise_exc)


def workItemFailed(
    workitem_id: "Item" = None, server_addr: "str | None" = None, to_stdout: bool = True, raise_exc: bool = True
) -> "Any":
    """The item has failed."""
    item = own_item(workitem_id, server_addr)
    echo(to_stdout, "FAILED", item)
    return send("failed", [item], server_addr, raise_exc)


def workItemCancelled(
    workitem_id: "Item" = None, server_addr: "str | None" = None, to_stdout: bool = True, raise_exc: bool = True
) -> "Any":
    """The item was canceled."""
    item = own_item(workitem_id, server_addr)
    echo(to_stdout, "CANCELLED", item)
    return send("cancelled", [item], server_addr, raise_exc)


def addOutputFile(
    result_data: "Any",
    workitem_id: "Item" = None,
    server_addr: "str | None" = None,
    result_data_tag: str = "",
    subindex: int = -1,
    and_success: bool = False,
    to_stdout: bool = True,
    raise_exc: bool = True,
    duration: float = 0.0,
    hash_code: int = 0,
    batch_size: int = 50,
) -> "Any":
    """The item has made this file (or these: a list goes to ``addOutputFiles``), and with ``and_success`` is done.

    An empty tag is decided by the cook from the file's extension. The working directory's prefix travels as
    ``__PDG_DIR__``.
    """
    if isinstance(result_data, (list, tuple)):
        return addOutputFiles(
            result_data,
            workitem_id,
            server_addr,
            result_data_tag,
            subindex,
            and_success,
            to_stdout,
            raise_exc,
            duration,
            [hash_code] if hash_code else [],
            batch_size,
        )
    item = own_item(workitem_id, server_addr)
    path = delocalizePath(os.fsdecode(result_data))
    echo(to_stdout, "RESULT", item, subindex, path, result_data_tag, hash_code)
    method = "success_and_result" if and_success else "result"
    args = [item, path, result_data_tag]  # type: list[Any]
    if subindex >= 0:
        method += "_batch"
        args.append(subindex)
    args.append(hash_code)
    if and_success:
        echo(to_stdout, "SUCCESS", item, subindex, duration)
        args.append(duration)
    return send(method, args, server_addr, raise_exc)


#: The name that older scripts use.
reportResultData = addOutputFile


def addOutputFiles(
    output_file_array: "Any",
    workitem_id: "Item" = None,
    server_addr: "str | None" = None,
    output_file_tag: str = "",
    subindex: int = -1,
    and_success: bool = False,
    to_stdout: bool = True,
    raise_exc: bool = True,
    duration: float = 0.0,
    hash_codes: "Any" = (),
    batch_size: int = 50,
) -> "Any":
    """The item has made these files, sent ``batch_size`` at a time; ``hash_codes`` is empty, one, or one per file."""
    item = own_item(workitem_id, server_addr)
    paths = [delocalizePath(os.fsdecode(path)) for path in output_file_array]
    hashes = list(hash_codes)
    hashes = hashes * len(paths) if len(hashes) == 1 else hashes or [0] * len(paths)
    step = max(1, min(int(batch_size), int(_link.number("PDG_RPC_MAX_ARRAY_SIZE", 2000))))
    answer = None
    for first in range(0, len(paths), step):
        some, their = paths[first : first + step], hashes[first : first + step]
        echo(to_stdout, "RESULT_ARRAY", item, subindex, _link.encode(some), output_file_tag, _link.encode(their))
        method, where = ("result_array_batch", [item, subindex]) if subindex >= 0 else ("result_array", [item])
        answer = send(method, [*where, some, [output_file_tag] * len(some), their], server_addr, raise_exc)
    if and_success:
        answer = workItemSuccess(item, subindex, server_addr, to_stdout, raise_exc, duration)
    return answer


def workItemSetCustomState(
    custom_state: str,
    workitem_id: "Item" = None,
    subindex: int = -1,
    server_addr: "str | None" = None,
    to_stdout: bool = False,
    raise_exc: bool = True,
) -> "Any":
    """Show this text as the item's state."""
    item = own_item(workitem_id, server_addr)
    echo(to_stdout, "SET_CUSTOM_STATE", item, subindex, custom_state)
    return send("set_custom_state", [item, subindex, custom_state], server_addr, raise_exc)


def workItemSetCookPercent(
    cook_percent: float,
    workitem_id: "Item" = None,
    subindex: int = -1,
    server_addr: "str | None" = None,
    to_stdout: bool = False,
    raise_exc: bool = True,
) -> "Any":
    """How much of the item is done, from 0 to 1."""
    item = own_item(workitem_id, server_addr)
    echo(to_stdout, "SET_COOK_PERCENT", item, subindex, cook_percent)
    return send("set_cook_percent", [item, subindex, cook_percent], server_addr, raise_exc)


def workItemAppendLog(
    log_data: str,
    log_type: int = MESSAGE_RAW,
    workitem_id: "Item" = None,
    subindex: int = -1,
    server_addr: "str | None" = None,
    to_stdout: bool = False,
    raise_exc: bool = True,
) -> "Any":
    """A text for the item's log; types: 0 error, 1 warning, 2 message, 3 raw."""
    item = own_item(workitem_id, server_addr)
    if to_stdout:
        _print(log_data)
    return send("append_log", [item, subindex, log_data, log_type], server_addr, raise_exc)


def invalidateCache(
    workitem_id: "Item" = None,
    subindex: int = -1,
    server_addr: "str | None" = None,
    to_stdout: bool = True,
    raise_exc: bool = True,
) -> "Any":
    """What the item had in the cache is worth nothing: what depends on it cooks again."""
    item = own_item(workitem_id, server_addr)
    echo(to_stdout, "INVALIDATE_CACHE", item, subindex)
    return send("invalidate_cache", [item, subindex], server_addr, raise_exc)


def warning(
    message: str,
    workitem_id: "Item" = None,
    server_addr: "str | None" = None,
    to_stdout: bool = True,
    raise_exc: bool = True,
) -> "Any":
    """A warning about the item."""
    item = own_item(workitem_id, server_addr)
    echo(to_stdout, "WARNING", item, message)
    return send("warning", [item, message], server_addr, raise_exc)


def keepalive(workitem_id: "Item" = None, server_addr: "str | None" = None, raise_exc: bool = True) -> "Any":
    """The job is alive, though it has nothing to say."""
    return send("keepalive", [own_item(workitem_id, server_addr)], server_addr, raise_exc)


def reportServerStarted(
    servername: str,
    pid: int,
    host: str,
    port: int,
    proto_type: int = 0,
    log_fname: str = "",
    workitem_id: "Item" = None,
    server_addr: "str | None" = None,
    to_stdout: bool = True,
    raise_exc: bool = True,
) -> "Any":
    """A shared server for other items runs here."""
    server = {
        "name": servername,
        "pid": pid,
        "host": host,
        "port": port,
        "proto_type": proto_type,
        "log_fname": log_fname,
    }
    # Who started it, so that its scheduler can be told, and find it again by the mark of this attempt.
    item = own_item(workitem_id, server_addr)
    if item != "":
        server.update(item=item, token=os.environ.get("PDG_ITEM_TOKEN", ""))
    echo(to_stdout, "SHAREDSERVER_STARTED", servername, pid, host, port)
    return send("sharedserver_started", [server], server_addr, raise_exc)
