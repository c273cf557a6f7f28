"""What can be asked of a running cook, and told to it, through its door."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from topcook.machine.phases import SETTLED, Phase
from topcook.runtime.standstill import words_of
from topcook.runtime.summary import counts

if TYPE_CHECKING:
    from topcook.model.workitem import WorkItem
    from topcook.runtime.cook import Cook

__all__ = ["Desk"]

#: Seconds for which a count of the items is good: of a million, counting takes a while.
_FRESH = 0.25
#: Characters of what visitors say about themselves.
_LONGEST_NAME = 200


class Refused(Exception):  # noqa: N818 - no error of the cook
    """What was asked cannot be done; the words are for who asked."""


class Desk:
    """One cook's; called on the thread of its door.

    A request is an object with ``ask``: status, pause, unpause, cancel (with ``now``, ``node``, ``item``), detach (with
    ``now``) or open (how many of ``node`` or ``item`` have not ended). The answer has ``error`` where it was not done.
    """

    def __init__(self, cook: Cook) -> None:
        """Answer for ``cook``."""
        self._cook = cook
        self._counted: tuple[float, dict[str, int]] = (0.0, {})
        #: What was told last; the cook thread gets to it in its own time.
        self._paused = cook.state.paused

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked."""
        what = _ASKED.get(str(request.get("ask"))[:_LONGEST_NAME])
        if what is None:
            return {"error": f"a cook can be asked for: {', '.join(_ASKED)}"}
        try:
            return what(self, request)
        except Refused as error:
            return {"error": str(error)}

    def _status(self, _request: dict[str, Any]) -> dict[str, Any]:
        cook = self._cook
        return {
            "cook": cook.cook_id,
            "state": self._state(),
            "reason": cook.state.cancel_reason,
            "started": cook.started,
            "counts": self._counts(),
            "waits": words_of(cook.link, cook.state),
            "kept": list(cook.state.kept_by),
        }

    def _state(self) -> str:
        cook = self._cook
        if cook.outcome or cook.state.cancel_reason or cook.state.let_go:
            return "ending"
        if cook.state.leaving:
            return "detaching"
        return "paused" if cook.state.paused else "cooking"

    def _counts(self) -> dict[str, int]:
        at, found = self._counted
        if not found or time.monotonic() - at > _FRESH:
            found = {state.name: number for state, number in counts(self._cook).items()}
            self._counted = (time.monotonic(), found)
        return found

    def _pause(self, request: dict[str, Any]) -> dict[str, Any]:
        paused = request["ask"] == "pause"
        if self._cook.outcome or self._cook.state.cancel_reason:
            raise Refused("the cook is ending")
        changed = paused != self._paused
        self._paused = paused
        self._cook.pause(paused=paused)
        if changed:
            said = "paused: nothing new is begun, what runs goes on" if paused else "goes on after a pause"
            self._cook.link.message("warning", "cook", said)
        return {"changed": changed, "counts": self._counts()}

    def _cancel(self, request: dict[str, Any]) -> dict[str, Any]:
        cook, now = self._cook, request.get("now") is True
        if "node" in request or "item" in request:
            if now:
                raise Refused("a node or an item is ended as its scheduler ends it; --now is for a whole cook")
            items = self._chosen(request)
            still = [item for item in items if _is_open(item)]
            cook.cancel_items(still)
            return {"items": len(items), "open": len(still)}
        by = str(request.get("by") or "somebody")[:_LONGEST_NAME]
        cook.cancel(f"canceled by {by}")
        if now:
            # Behind the order: what ends now is not tried again. Not here, where others want to be answered.
            threading.Thread(target=cook.kill, name="topcook-kill", daemon=True).start()
        return {"state": "ending"}

    def _detach(self, request: dict[str, Any]) -> dict[str, Any]:
        cook = self._cook
        if cook.outcome or cook.state.cancel_reason:
            raise Refused("the cook is ending")
        if not cook.link.lasting:
            raise Refused("it keeps no journal (--no-journal), so nobody could go on with it")
        cook.detach(now=request.get("now") is True)
        return {"state": "detaching", "counts": self._counts()}

    def _open(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"open": sum(_is_open(item) for item in self._chosen(request))}

    def _chosen(self, request: dict[str, Any]) -> list[WorkItem]:
        graph = self._cook.graph
        found: list[WorkItem] = []
        if "node" in request:
            name = str(request["node"])
            node = graph.network.nodes.get(name)
            if node is None:
                raise Refused(f'there is no node "{name}"{_close(name, graph.network.nodes)}')
            found += node.items
        if "item" in request:
            name = str(request["item"])
            item = graph.item(name)
            if item is None or ("node" in request and item not in found):
                raise Refused(f'there is no work item "{name}" by now: its name or its id is asked for')
            found = [item]
        return found


def _is_open(item: WorkItem) -> bool:
    """Whether more is to be expected of an item; one that is blocked stays so."""
    return item.phase not in SETTLED and item.phase != Phase.UNCOOKED


def _close(name: str, names: Any) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(names), 1)
    return f'; did you mean "{close[0]}"?' if close else f"; there are: {', '.join(names)}"


_ASKED: dict[str, Callable[[Desk, dict[str, Any]], dict[str, Any]]] = {
    "status": Desk._status,  # noqa: SLF001
    "pause": Desk._pause,  # noqa: SLF001
    "unpause": Desk._pause,  # noqa: SLF001
    "cancel": Desk._cancel,  # noqa: SLF001
    "detach": Desk._detach,  # noqa: SLF001
    "open": Desk._open,  # noqa: SLF001
}
