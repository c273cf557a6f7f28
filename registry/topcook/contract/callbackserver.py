"""``CallbackServerMixin``: a scheduler's handle on the cook's one result server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.eventdispatch import WorkItemEvents
from topcook.errors import CookError

if TYPE_CHECKING:
    from topcook.contract.host import SchedulerHost


class CallbackServerMixin(WorkItemEvents):
    """Starts, stops and names the server that jobs report to.

    The cook has one server, whoever starts it; ``stopCallbackServer`` says only that this scheduler needs it no more.
    It runs on a thread of its own and keeps no process alive. Everything works without ``__init__`` having run.
    """

    #: ``None`` (any port), ``(low, high)`` with ``high`` excluded, or one port.
    custom_port_range: Any = None
    _topcook_local_only = True
    _topcook: SchedulerHost
    _workItemResultServerAddr: str

    def __init__(self, localhost_only: Any = True, *link: Any) -> None:
        """``localhost_only``: listen on this machine's loopback address alone.

        A class without an ``__init__`` of its own gets here with (scheduler, name), which are passed on.
        """
        if link:
            super().__init__(localhost_only, *link)  # type: ignore[call-arg] # PyScheduler comes next
        else:
            self._topcook_local_only = bool(localhost_only)

    def startCallbackServer(self) -> bool:
        """Listen, unless it does already; always true. Raises ``CookError`` when no port can be had."""
        self._topcook.result_server.start(local_only=self._topcook_local_only, port_range=self._topcook_ports())
        return True

    def stopCallbackServer(self) -> bool:
        """Say that this scheduler needs the server no more; always true, also when it is not running."""
        self._topcook.result_server.stop()
        return True

    def isCallbackServerRunning(self) -> bool:
        """Whether it listens."""
        return self._topcook.result_server.running

    def workItemResultServerAddr(self) -> str:
        """``host:port``: as set with ``setWorkItemResultServerAddr``, else the server's; empty when there is none."""
        return self._workItemResultServerAddr

    def _topcook_ports(self) -> tuple[int, int] | None:
        given = self.custom_port_range
        try:
            if given is None or (isinstance(given, int) and given <= 0):
                return None
            low, high = (given, given + 1) if isinstance(given, int) else (int(given[0]), int(given[1]))
        except (TypeError, ValueError, IndexError, KeyError):
            low, high = 0, 0
        if not 0 < low < high <= 65536:  # noqa: PLR2004 - the last port is 65535
            raise CookError(
                f"custom_port_range is {given!r}\n"
                "    it is None, one port, or a pair (low, high) with 0 < low < high <= 65536"
            )
        return low, high


#: 17.5 also exported the server itself; here the mixin is the only handle on it.
CallbackServer = CallbackServerMixin
