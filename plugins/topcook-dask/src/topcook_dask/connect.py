"""A way to a cluster: to one that runs, or to one that is started here and ends with the cook."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import distributed
from distributed.comm.core import connect as reach

from topcook_dask.clusters import cluster_spec
from topcook_dask.settings import PREFIX, BadClusterError, ConnectError, Settings
from topcook_dask.startedcluster import START, StartedCluster

__all__ = ["ConnectError", "Connection", "connect", "mismatches_of"]

_LOOK = 0.1
#: Seconds for all workers to say which versions they have.
_VERSIONS = 10.0
#: How many are named that have another version.
_NAMED = 3


class Connection:
    """A cluster with its client; ``close`` when the cook is over."""

    def __init__(self, client: distributed.Client, cluster: StartedCluster | None = None) -> None:
        """``cluster`` is what was started for it."""
        self.client = client
        self._cluster = cluster

    @property
    def owned(self) -> bool:
        """Whether the cluster was started for this cook."""
        return self._cluster is not None

    @property
    def is_elsewhere(self) -> bool:
        """Whether workers may run on other machines."""
        return self._cluster is None or self._cluster.kind != "local"

    @property
    def dashboard(self) -> str:
        """The address of the cluster's pages; empty where it has none."""
        return str(self.client.dashboard_link or "")

    def waits_for(self) -> str:
        """What keeps a started cluster from having all its workers, in words; else empty."""
        return self._cluster.waits_for() if self._cluster else ""

    def mismatches(self) -> list[str]:
        """What has another version there than here, in words: tasks may be refused, or misread."""
        ask: Any = self.client._get_versions  # noqa: SLF001 - ``get_versions`` has no time limit, and a worker may hang
        try:
            versions: Any = self.client.sync(ask, callback_timeout=_VERSIONS)
        except (OSError, TimeoutError):
            return []
        return mismatches_of(versions)

    def close(self) -> None:
        """Leave; what was started for the cook ends, and nothing else."""
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            self.client.close(timeout=5)
        if self._cluster:
            self._cluster.close()


def mismatches_of(versions: dict[str, Any]) -> list[str]:
    """A line for each package and version that is not the client's, in what ``Client.get_versions`` answers."""
    here = versions["client"]["packages"]
    found: dict[str, list[str]] = {}
    for name, theirs in [("the scheduler", versions["scheduler"]), *versions["workers"].items()]:
        for package in ("distributed", "msgpack", "cloudpickle"):
            other = (theirs or {}).get("packages", {}).get(package)
            if other and other != here.get(package):
                found.setdefault(f"{package} is {here.get(package)} here and {other} on", []).append(name)
    # A cluster may have hundreds of workers, all alike.
    more = {what: f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "" for what, names in found.items()}
    return [f"{what} {', '.join(names[:_NAMED])}{more[what]}" for what, names in found.items()]


def connect(
    settings: Settings,
    *,
    name: str = "topcook",
    logs: str = "",
    shared: str = "",
    say: Callable[[str], None] = lambda _text: None,
) -> Connection:
    """A client of the cluster that is named, or of one that is started.

    ``name`` is that of the client and of the cluster's jobs, ``logs`` and ``shared`` directories for what they write,
    which nodes see as this machine does; ``say`` hears of later troubles, from another thread. Raises ``ConnectError``.
    """
    _check_files(settings)
    if not settings.is_started:
        return Connection(_client_of(settings, name))
    spec = cluster_spec(settings, name=name, logs=logs, shared=shared)
    cluster = StartedCluster(spec, os.path.join(logs, "dask-cluster.log") if logs else "", say)
    try:
        return Connection(_client(cluster.address, cluster.security, START, name), cluster)
    except OSError as error:
        cluster.close()
        raise ConnectError(f"the cluster that was started at {cluster.address} does not answer: {error}") from error
    except BaseException:
        # Ctrl-C too: nobody else knows of the cluster yet, and would end it.
        cluster.close()
        raise


def _client_of(settings: Settings, name: str) -> distributed.Client:
    if settings.cluster.lower() not in {"", "local"}:
        raise BadClusterError(
            f"{PREFIX}_cluster is {settings.cluster}, and {_source(settings)} names a cluster that runs\n"
            "    one of the two is to be blank"
        )
    give_up = time.monotonic() + settings.connecttimeout
    address = settings.address or _address_in(settings.schedulerfile, give_up)
    security = _security(settings, address)
    try:
        return _client(address, security, max(1.0, give_up - time.monotonic()), name)
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise ConnectError(_reason(settings, address, error)) from error


def _client(address: str, security: Any, timeout: float, name: str) -> distributed.Client:
    security = security or distributed.Security()
    # A client that cannot connect leaves its thread behind, and hangs in whatever is there when it is collected.
    asyncio.run(_reach(address, security, timeout))
    return distributed.Client(address, security=security, timeout=timeout, name=name, set_as_default=False)


async def _reach(address: str, security: Any, seconds: float) -> None:
    """Shake hands with the scheduler; raises what the comm raises."""
    comm: Any = await reach(address, timeout=seconds, **security.get_connection_args("client"))
    await comm.close()


def _address_in(path: str, give_up: float) -> str:
    """The address in a scheduler file, which may be written this very moment."""
    while True:
        try:
            address = str(json.loads(Path(path).read_text(encoding="utf-8"))["address"])
        except FileNotFoundError:
            why = "there is no such file"
        except OSError as error:
            raise BadClusterError(f"{PREFIX}_schedulerfile: {path}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError):
            why = "it is no scheduler file"
        else:
            return address
        if time.monotonic() > give_up:
            raise BadClusterError(
                f"{PREFIX}_schedulerfile: {path}: {why}\n"
                f"    the scheduler writes it: dask scheduler --scheduler-file {path}"
            )
        time.sleep(_LOOK)


def _check_files(settings: Settings) -> None:
    tls = settings.tls()
    if not tls:
        return
    for what, path in tls.items():
        if not os.path.isfile(path):
            raise BadClusterError(f"{PREFIX}_tls{what}: there is no file {path}")
    try:
        context = ssl.create_default_context(cafile=tls["ca"])
    except (ssl.SSLError, OSError) as error:
        raise BadClusterError(f"{PREFIX}_tlsca: {tls['ca']} has no certificate of an authority: {error}") from None
    try:
        context.load_cert_chain(tls["cert"], tls["key"])
    except (ssl.SSLError, OSError) as error:
        raise BadClusterError(
            f"{PREFIX}_tlscert and {PREFIX}_tlskey: {tls['cert']} and {tls['key']} do not go together: {error}"
        ) from None


def _security(settings: Settings, address: str) -> Any:
    """What a client shows, and whether it may talk in the clear; what is not said is as Dask is configured."""
    tls = settings.tls()
    given: dict[str, Any] = {}
    if tls:
        given = {"tls_ca_file": tls["ca"], "tls_client_cert": tls["cert"], "tls_client_key": tls["key"]}
    if settings.encrypt or (tls and not address.startswith(("tls://", "wss://"))):
        given["require_encryption"] = True
    return distributed.Security(**given)


def _source(settings: Settings) -> str:
    return f"{PREFIX}_address" if settings.address else f"{PREFIX}_schedulerfile"


def _causes(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__


_ADDRESSES = "an address is tcp://HOST:PORT, tls://HOST:PORT or ws://HOST:PORT"
_CERTIFICATES = f"{PREFIX}_tlsca, {PREFIX}_tlscert and {PREFIX}_tlskey name the certificates"
#: What its words say, why there is no way (blank: the innermost words), and what to do.
_REASONS = (
    (
        r"encryption (is )?required",
        "it is not encrypted, and is to be",
        f"a tls:// address, or no {PREFIX}_encrypt and no certificates",
    ),
    (r"TLS.*ssl_context|`ca_file`", "it is encrypted", _CERTIFICATES),
    (r"WRONG_VERSION_NUMBER|cannot convert to SSL", "it is not encrypted", "a tcp:// address without certificates"),
    (r"SSL", "", f"do the two trust each other? {PREFIX}_tlsca is the authority that has signed both certificates"),
    (r"unknown address scheme|missing port", "", _ADDRESSES),
    (r"Connection reset", "", "is it encrypted? an address is tls://HOST:PORT then, with certificates"),
    (r"", "", "is it running, and may this machine reach it? dask scheduler starts one"),
)


def _reason(settings: Settings, address: str, error: BaseException) -> str:
    """Why there is no client, and what to do."""
    causes = [str(each) for each in _causes(error) if str(each)]
    said = " ".join(causes)
    _, why, remedy = next(row for row in _REASONS if re.search(row[0], said))
    # The innermost words: the outer ones only say that something went wrong.
    why = why or causes[-1].partition("\n")[0]
    lines = [f"{_source(settings)}: no way to the Dask scheduler at {address}: {why}", remedy]
    if not settings.address:
        lines.append(f"{settings.schedulerfile} may be of a scheduler that has ended")
    return "\n    ".join(lines)
