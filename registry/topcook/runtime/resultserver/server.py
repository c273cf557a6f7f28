"""The cook's one result server: a thread with a selector, listening where schedulers ask it to."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from topcook.runtime.resultserver.notes import Counters, Notebook
from topcook.runtime.resultserver.settings import LOOPBACK, Address, Limits, open_listener

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.runtime.resultserver.dispatch import Sink
    from topcook.runtime.resultserver.loop import Loop


class ResultServerThread:
    """Takes reports of jobs by XML-RPC and by the line protocol on the same ports.

    ``sink`` gets the calls; ``secret`` is what callers must know; ``address`` and ``limits`` are the user's;
    ``allow_without_secret(item)`` says whether an item's scheduler takes reports of old clients that cannot send the
    secret (``item`` is None for calls about no item, and to ask whether any does; the default None: nobody's does);
    ``log`` takes lines.
    A report is answered only when the sink says that it is recorded. No code of authors runs here.
    Any thread may call any method.
    """

    def __init__(
        self,
        sink: Sink,
        secret: str,
        *,
        address: Address | None = None,
        limits: Limits | None = None,
        allow_without_secret: Callable[[int | str | None], bool] | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare; nothing listens before ``start``. Raises ConfigError for a bad address."""
        self.counters = Counters()
        self._address = (address or Address()).checked()
        self._limits = limits or Limits()
        self._secret = secret.encode()
        write = log or logging.getLogger("topcook.resultserver").warning
        self._notebook = Notebook(write)
        self._sink = sink
        self._allow = allow_without_secret
        self._lock = threading.Lock()
        self._loop: Loop | None = None
        self._addresses: dict[tuple[bool, tuple[int, int] | None, Address], str] = {}

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._loop is not None

    @property
    def address(self) -> str:
        """The first ``host:port`` it listens on, empty while it does not listen."""
        return next(iter(self._addresses.values()), "")

    def start(
        self,
        *,
        local_only: bool = True,
        port_range: tuple[int, int] | None = None,
        address: Address | None = None,
    ) -> str:
        """Listen as asked; returns the ``host:port`` for it, the same again for the same wish.

        Schedulers of one cook may ask for different things: each gets a port of the one server. A scheduler that
        has no wish shares what is there. ``address`` goes before the server's own. Raises ConfigError or
        CookRefusedError.
        """
        wanted = self._wanted(address)
        with self._lock:
            known = self._known(wanted, local_only=local_only, port_range=port_range)
            if known:
                return known
            listener, told = open_listener(wanted.checked(), local_only=local_only, ports=port_range)
            if self._loop is None:
                self._loop = self._new_loop()
            self._loop.listen(listener)
            self._addresses[local_only, port_range, wanted] = told
            return told

    def _wanted(self, address: Address | None) -> Address:
        return address if address is not None and address != Address() else self._address

    def nearby(self, address: Address, told: str) -> str:
        """``host:port`` by which this machine reaches what jobs were ``told`` of when ``address`` was wished."""
        bound = self._wanted(address).bind
        # Never loopback where it is bound elsewhere: there, that port may be anybody's.
        host = LOOPBACK if bound in {"", "0.0.0.0"} else "::1" if bound == "::" else bound  # noqa: S104 - compared
        return f"{host}:{told.rpartition(':')[2]}"

    def _new_loop(self) -> Loop:
        # Every scheduler has a door to the server, and those that never listen do not pay for it.
        from topcook.runtime.resultserver.dispatch import Dispatcher
        from topcook.runtime.resultserver.loop import Loop

        dispatcher = Dispatcher(self._sink, self._post, self.counters, self._notebook, self._allow)
        return Loop(dispatcher, self.counters, self._limits, self._notebook, self._secret)

    def _known(self, wanted: Address, *, local_only: bool, port_range: tuple[int, int] | None) -> str:
        for (local, ports, address), told in self._addresses.items():
            # With an address of the user's, what the scheduler says about local or not changes nothing.
            reach = local == local_only or bool(wanted.bind) or (local_only and not local)
            if reach and port_range in {None, ports} and address == wanted:
                return told
        return ""

    def stop(self) -> None:
        """Close everything; answers to what is recorded go out first. Again: a no-op."""
        with self._lock:
            loop, self._loop = self._loop, None
            self._addresses.clear()
        if loop is not None:
            loop.stop()

    def _post(self, function: Callable[..., None], *args: Any) -> None:
        loop = self._loop
        if loop is not None:
            loop.post(function, *args)


class SchedulerDoor:
    """The one result server as one scheduler sees it: ``contract.host.ResultServer``.

    Stopping it only takes the address back from this scheduler: others may still use the server, and late reports
    are still recorded.
    """

    def __init__(self, server: ResultServerThread, wish: Callable[[], Address] = Address) -> None:
        """A door to ``server``, closed; ``wish`` gives the address that the user wants for this scheduler."""
        self._server = server
        self._wish = wish
        self._address = ""

    @property
    def running(self) -> bool:
        """Whether this scheduler has started it."""
        return bool(self._address) and self._server.running

    @property
    def address(self) -> str:
        """``host:port`` for this scheduler's jobs, empty while it has not started it."""
        return self._address if self.running else ""

    @property
    def nearby(self) -> str:
        """``host:port`` by which this machine reaches it, whatever jobs are told; empty as ``address`` is."""
        return self._server.nearby(self._wish(), self._address) if self.running else ""

    def start(self, *, local_only: bool, port_range: tuple[int, int] | None) -> str:
        """Listen for this scheduler; again a no-op."""
        if not self.running:
            self._address = self._server.start(local_only=local_only, port_range=port_range, address=self._wish())
        return self._address

    def stop(self) -> None:
        """This scheduler needs it no more."""
        self._address = ""

    def hang_up(self) -> None:
        """End the server, for all schedulers; what it has not answered by now stays unanswered."""
        self._server.stop()
