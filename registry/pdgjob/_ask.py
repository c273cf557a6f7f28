"""Questions of a job to its cook; arguments as in ``pdgjob._report``."""

import os
import time

from pdgjob._link import RpcFault, number
from pdgjob._report import own_item, send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    Item = Union[int, str, None]


def getWorkItemJSON(
    workitem_id: "Item" = None, subindex: int = -1, server_addr: "str | None" = None, raise_exc: bool = True
) -> "Any":
    """The item's data as JSON text (see ``pdgjson``)."""
    item = own_item(workitem_id, server_addr)
    return send("get_workitem_json", [item, subindex], server_addr, raise_exc, with_job=False)


def getSharedServerInfo(servername: str, server_addr: "str | None" = None, raise_exc: bool = True) -> "Any":
    """What the cook knows of a shared server, as ``reportServerStarted`` told it; empty when it knows none."""
    return send("getSharedServerInfo", [servername], server_addr, raise_exc, with_job=False)


def checkReady(
    workitem_id: "Item" = None, subindex: int = -1, server_addr: "str | None" = None, raise_exc: bool = True
) -> "Any":
    """Whether a sub-item of a batch may start: 1 yes, 2 never (what it needs has failed), else not yet."""
    item = own_item(workitem_id, server_addr)
    return send("check_ready_batch", [item, subindex], server_addr, raise_exc, with_job=False)


def waitUntilReady(
    workitem_id: "Item" = None,
    subindex: int = -1,
    server_addr: "str | None" = None,
    to_stdout: bool = True,
    raise_exc: bool = True,
) -> bool:
    """Wait until a sub-item of a batch may start; False, or RpcError with ``raise_exc``, when it never may.

    Asks with growing pauses, up to PDG_BATCH_POLL_DELAY (1 s); while it waits the job gives its slots to others, unless
    PDG_RELEASE_SLOT_ON_POLL is 0. Without a server nothing tells, and the answer is True.
    """
    item = own_item(workitem_id, server_addr)
    state = checkReady(item, subindex, server_addr, raise_exc)
    released = state not in (None, 1, 2) and os.environ.get("PDG_RELEASE_SLOT_ON_POLL", "1") != "0"
    if released:
        send("release_job_slots", [item], server_addr, False)
    pause = 0.02
    while state not in (None, 1, 2):
        # Often at first: what precedes it in a sequence is usually just done.
        longest = max(0.01, number("PDG_BATCH_POLL_DELAY", 1.0))
        if released and pause >= longest:
            # Who took up the cook meanwhile would hold the slots for this job, maybe against what it waits for.
            send("release_job_slots", [item], server_addr, False)
        pause = min(pause * 2, longest)
        time.sleep(pause)
        state = checkReady(item, subindex, server_addr, raise_exc)
    if released:
        send("acquire_job_slots", [item], server_addr, False)
    if state == 2 and raise_exc:  # noqa: PLR2004 - the wire's number, see checkReady
        raise RpcFault("sub-item %s of %s never can start: what it needs has failed" % (subindex, item))
    return bool(state != 2)  # noqa: PLR2004


def appendSubItem(workitem_id: "Item" = None, server_addr: "str | None" = None, raise_exc: bool = True) -> "Any":
    """Add a sub-item at the end of a batch; its index."""
    item = own_item(workitem_id, server_addr)
    return send("add_sub_item_batch", [item], server_addr, raise_exc, with_job=False)
