"""Where the result server listens, what address jobs are told, and how much a caller may ask of it."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from topcook.errors import ConfigError, CookRefusedError, Problem
from topcook.lean import dataclass

if TYPE_CHECKING:
    import socket

LOOPBACK = "127.0.0.1"
_LAST_PORT = 65535
_LOCAL_NAMES = frozenset({"localhost", LOOPBACK, "::1"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one caller may cost.

    Sizes are bytes, times are seconds. ``head`` and ``greeting_time`` hold until the secret is known; ``body`` is the
    largest request after that; ``unanswered`` requests or ``unread`` answers on one connection stop it being read;
    above ``connections`` the one that has been idle longest is closed (our client connects again).
    """

    head: int = 8192
    greeting_time: float = 5.0
    body: int = 16 << 20
    untrusted_body: int = 1 << 20
    body_time: float = 30.0
    unanswered: int = 1024
    unread: int = 1 << 20
    connections: int = 10_000


@dataclass(frozen=True, slots=True)
class Address:
    """What the user or studio says about addresses; a blank is decided by the scheduler that starts the server.

    ``bind`` is the address to listen on (default: loopback for a local scheduler, every interface for a farm's);
    ``advertise`` is the host name or IPv4 address that jobs are told (default: this host's name); ``ports`` is a
    range ``(first, end)`` whose end is not part of it (default: any free port).
    """

    bind: str = ""
    advertise: str = ""
    ports: tuple[int, int] | None = None

    def checked(self) -> Address:
        """The same address; raises ConfigError with everything that is wrong with it."""
        problems = [*_host_problems("bind", self.bind), *_host_problems("advertise", self.advertise)]
        if ":" in self.advertise:
            problems.append(
                Problem(
                    "result-server-address",
                    f'result server: advertised address "{self.advertise}" holds a colon, at which host:port is split',
                    hint="advertise a host name or an IPv4 address, without scheme or port",
                )
            )
        problems += port_problems(self.ports)
        if problems:
            raise ConfigError(problems, "the result server cannot listen as it is configured")
        return self

    def told(self, bound: str) -> str:
        """The host part of what jobs are told for a socket that listens on ``bound``."""
        if self.advertise:
            return self.advertise
        if bound in _LOCAL_NAMES:
            return LOOPBACK if bound != "::1" else "localhost"
        if bound not in {"", "0.0.0.0", "::"} and ":" not in bound:  # noqa: S104
            return bound
        import socket

        return socket.gethostname()


def _host_problems(what: str, host: str) -> list[Problem]:
    if not host or (host.isprintable() and not set(host) & set(' /?#@[]"\\')):
        return []
    hint = 'type a host name or an address, such as "0.0.0.0" or "render-host"'
    return [Problem("result-server-address", f"result server: {what} address {host!r} is no host", hint=hint)]


def port_problems(ports: tuple[int, int] | None) -> list[Problem]:
    """What is wrong with a port range."""
    if ports is None:
        return []
    first, end = ports
    if 1 <= first < end <= _LAST_PORT + 1:
        return []
    return [
        Problem(
            "result-server-ports",
            f"result server: port range ({first}, {end}) is empty or outside 1 to {_LAST_PORT}",
            hint="give the first port and the one after the last, such as (40000, 40100)",
        )
    ]


def open_listener(address: Address, *, local_only: bool, ports: tuple[int, int] | None) -> tuple[socket.socket, str]:
    """A listening socket and the ``host:port`` that jobs are told.

    ``ports`` (the scheduler's) goes before the address's own. Raises ConfigError for a bad range and
    CookRefusedError when no port can be had.
    """
    if problems := port_problems(ports):
        raise ConfigError(problems, "the result server cannot listen as its scheduler asks")
    host = address.bind or (LOOPBACK if local_only else "0.0.0.0")  # noqa: S104 - jobs on a farm must reach it
    span = ports or address.ports
    reasons: dict[str, int] = {}
    for port in range(*span) if span else (0,):
        try:
            listener = _listen(host, port)
        except OSError as problem:
            reason = problem.strerror or str(problem)
            reasons[reason] = reasons.get(reason, 0) + 1
            if problem.errno not in {errno.EADDRINUSE, errno.EACCES}:
                break
            continue
        return listener, f"{address.told(host)}:{listener.getsockname()[1]}"
    where = f'"{host}"' + (f", ports {span[0]} to {span[1] - 1}" if span else "")
    why = ", ".join(f"{reason} ({count} x)" if count > 1 else reason for reason, count in reasons.items())
    raise CookRefusedError(
        f"the result server cannot listen on {where}\n    {why}\n    choose another bind address or a wider port range"
    )


def _listen(host: str, port: int) -> socket.socket:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
        listener.settimeout(0)
    except BaseException:
        listener.close()
        raise
    return listener
