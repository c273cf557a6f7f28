"""What the tests of whole cooks share."""

from __future__ import annotations

import contextlib
import socket
import threading
from functools import partial

from topcook.testkit import waiting
from topcook.testkit.waiting import running
from topcook_dask.testcluster import TestCluster

__all__ = ["Door", "network", "ours", "running", "until"]

#: Engines take their time on a busy machine.
until = partial(waiting.until, patience=120.0)


def ours(cluster: TestCluster) -> dict[str, str]:
    """The tasks of ours that the cluster has, and their states."""
    return {key: state for key, state in cluster.tasks().items() if key.startswith("topcook_")}


def network(cluster: TestCluster, command: str, count: int = 1, parms: str = "", more: str = "") -> str:
    return f'''
        [network]
        name = "net"
        scheduler = "farm"
        [schedulers.farm]
        type = "daskscheduler"
        [schedulers.farm.parms]
        dask_address = "{cluster.address}"
        dask_poll = 1.0
        pdg_tickperiod = 0.1
        {parms}
        [nodes.work]
        type = "genericgenerator"
        parms.itemcount = {count}
        parms.command = """{command}"""
        {more}
        '''


class Door:
    """A way to a port of this machine by another address of loopback, which can be shut: nobody answers there then."""

    HOST = "127.0.0.2"

    def __init__(self, port: int) -> None:
        #: So many connections went through.
        self.passed = 0
        self._port = port
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener: socket.socket | None = None
        self.open()

    def open(self) -> None:
        """Let through what comes."""
        self._listener = listener = socket.create_server((self.HOST, self._port), backlog=64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def shut(self) -> None:
        """Refuse what comes, and cut what goes through."""
        listener, self._listener = self._listener, None
        pairs, self._pairs = self._pairs, []
        for each in ([listener] if listener else []) + [one for pair in pairs for one in pair]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = listener.accept()
                try:
                    there = socket.create_connection(("127.0.0.1", self._port))
                except OSError:
                    here.close()
                    continue
                self.passed += 1
                self._pairs.append((here, there))
                for way in ((here, there), (there, here)):
                    threading.Thread(target=self._carry, args=way, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
