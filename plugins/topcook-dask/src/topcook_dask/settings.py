"""The parms that say which cluster a scheduler uses: one that runs, or what it starts itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Self

__all__ = ["CLUSTER_PARMS", "PREFIX", "BadClusterError", "ConnectError", "Settings"]

PREFIX = "dask"


class ConnectError(Exception):
    """There is no way to the cluster; its text says what was tried, why it failed, and what to change."""


class BadClusterError(ConnectError):
    """A parm says what cannot be connected to or started."""


def _parm(label: str, default: float | str) -> Any:
    return field(default=default, metadata={"label": label})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The parms of the cluster, without prefix, as ``docs/clusters.md`` explains them."""

    address: str = _parm("Scheduler Address", "")
    schedulerfile: str = _parm("Scheduler File", "")
    connecttimeout: float = _parm("Connect Within Seconds", 20.0)
    tlsca: str = _parm("TLS Authority File", "")
    tlscert: str = _parm("TLS Certificate File", "")
    tlskey: str = _parm("TLS Key File", "")
    encrypt: bool = _parm("Encrypted Only", False)
    cluster: str = _parm("Cluster to Start", "local")
    count: int = _parm("Workers to Start", 0)
    minimum: int = _parm("At Least Workers", 0)
    maximum: int = _parm("At Most Workers", 0)
    idle: float = _parm("Release Idle Workers After", 60.0)
    threads: int = _parm("Threads per Worker", 0)
    workermemory: str = _parm("Memory per Worker", "")
    workerresources: str = _parm("Resources per Worker", "")
    processes: int = _parm("Workers per Job", 1)
    queue: str = _parm("Queue", "")
    account: str = _parm("Account", "")
    walltime: str = _parm("Wall Time", "")
    directives: str = _parm("More Directives", "")
    resourcespec: str = _parm("Resource Specification", "")
    disk: str = _parm("Disk per Job", "")
    prologue: str = _parm("Before the Worker", "")
    workerargs: str = _parm("More Worker Arguments", "")
    python: str = _parm("Python of Workers", "")
    scratch: str = _parm("Scratch Directory", "")
    logdir: str = _parm("Logs of Jobs", "")
    deathtimeout: float = _parm("Workers Wait for Scheduler", 60.0)
    jobqueueconfig: str = _parm("Section of jobqueue.yaml", "")
    interface: str = _parm("Network Interface", "")
    host: str = _parm("Listen On", "")
    port: int = _parm("Listen On Port", 0)
    dashboard: str = _parm("Dashboard Address", "")

    @classmethod
    def read(cls, value: Callable[[str], Any]) -> Self:
        """Ask for each parm by its whole name, "dask_address".

        Raises ``BadClusterError`` for a line break in one.
        """
        found: dict[str, Any] = {}
        for name, _, kind, default in CLUSTER_PARMS:
            given = value(f"{PREFIX}_{name}")
            found[name] = type(default)(given)
            if kind == "String":
                # Scripts of a queue are read by lines: a line break would begin another directive, or a command.
                found[name] = _plain(name, found[name], lines=name in {"prologue", "directives"})
        return cls(**found)

    @property
    def is_started(self) -> bool:
        """Whether the cluster is one that the cook starts."""
        return not (self.address or self.schedulerfile)

    def tls(self) -> dict[str, str]:
        """The files of the certificates by what they are; nothing where none is named.

        Raises ``BadClusterError`` for what is named in part.
        """
        given = {"ca": self.tlsca, "cert": self.tlscert, "key": self.tlskey}
        missing = [f"{PREFIX}_tls{name}" for name, path in given.items() if not path]
        if len(missing) == len(given):
            return {}
        if missing:
            raise BadClusterError(
                f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} blank\n"
                "    authority, certificate and key are named together"
            )
        return given


_KINDS = {str: "String", int: "Integer", float: "Float", bool: "Toggle"}
#: name without prefix, label, type, default: they are the scheduler's, no node overrides them.
CLUSTER_PARMS: tuple[tuple[str, str, str, Any], ...] = tuple(
    (each.name, each.metadata["label"], _KINDS[type(each.default)], each.default) for each in fields(Settings)
)


def _plain(name: str, text: str, *, lines: bool) -> str:
    for char in text:
        if ord(char) < ord(" ") and not (lines and char in "\n\t"):
            raise BadClusterError(f"{PREFIX}_{name} has a line break or a control character in it: {text!r}")
    return text.strip()
