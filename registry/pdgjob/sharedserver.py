"""Shared servers: one item starts a server, others use it, somebody ends it.

In a job's command::

    python3 __PDG_SCRIPTDIR__/sharedserver.py start NAME -- COMMAND... {port}

starts COMMAND on a free port (``{port}``, also in the variable PDG_SHARED_SERVER_PORT), in the background, waits until
something listens there, and tells the cook. Other jobs ask ``sharedserver.find(NAME)`` where it is. It runs until the
scheduler's ``endSharedServer`` is called, at the latest at the end of the cook.
"""

import os
import socket
import subprocess
import sys
import time

if __name__ == "__main__":  # a copy of this file lies beside the package in the script directory
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pdgjob import _ask, _report
from pdgjob._link import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PAUSE = 0.02
#: A port that was free when we looked may be somebody else's a moment later.
_TRIES = 3


def find(name: str, timeout: float = 0.0) -> "dict[str, Any]":
    """What is known of a shared server: name, pid, host, port, …; empty when there is none within ``timeout`` s."""
    until = time.monotonic() + timeout
    while True:
        info = _ask.getSharedServerInfo(name)
        if info or time.monotonic() >= until:
            return dict(info or {})
        time.sleep(_PAUSE)


def start(
    name: str, command: "list[str]", host: str = "127.0.0.1", timeout: float = 30.0, log: str = ""
) -> "dict[str, Any]":
    """Start a server in the background and tell the cook; answers what was told.

    ``{port}`` in the command becomes a free port of ``host``, which is also the name that others are given. Raises
    RpcError when nothing listens there within ``timeout`` seconds, or the server ended before.
    """
    log = log or os.path.join(os.environ.get("PDG_TEMP") or os.getcwd(), "logs", "sharedserver_%s.log" % name)
    os.makedirs(os.path.dirname(os.path.abspath(log)), exist_ok=True)
    for left in reversed(range(_TRIES)):
        port = _free_port(host)
        process = _spawn(name, [word.replace("{port}", str(port)) for word in command], port, log)
        if _listens(process, host, port, timeout):
            break
        if process.poll() is None:
            process.kill()
            raise RpcError('shared server "%s": nothing listens on %s:%d after %g s' % (name, host, port, timeout))
        if not left:
            raise RpcError('shared server "%s" ended with status %s; its log: %s' % (name, process.returncode, log))
    _report.reportServerStarted(name, process.pid, host, port, log_fname=log)
    return {"name": name, "pid": process.pid, "host": host, "port": port, "log_fname": log}


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _spawn(name: str, command: "list[str]", port: int, log: str) -> "subprocess.Popen[bytes]":
    env = dict(os.environ, PDG_SHARED_SERVER_NAME=name, PDG_SHARED_SERVER_PORT=str(port))
    with open(log, "ab") as output:
        # A session of its own: what ends this job's must not end the server.
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, start_new_session=True
        )


def _listens(process: "subprocess.Popen[bytes]", host: str, port: int, timeout: float) -> bool:
    until = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection((host, port), 1.0).close()
        except OSError:
            time.sleep(_PAUSE)
        else:
            # Somebody else may have taken the port while our server died of that.
            time.sleep(_PAUSE)
            return process.poll() is None
    return False


def shutdownServer(info: "Any", grace: float = 5.0) -> bool:
    """End a shared server that runs on this machine; whether it is gone.

    TERM, after ``grace`` seconds KILL. One on another machine is left to whoever started it: False.
    """
    import signal

    pid, host = int(info.get("pid") or 0), str(info.get("host") or "")
    if pid <= 1 or host not in ("", "127.0.0.1", "localhost", socket.gethostname(), socket.getfqdn()):
        return False
    for how, patience in ((signal.SIGTERM, grace), (getattr(signal, "SIGKILL", signal.SIGTERM), 5.0)):
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if not _runs(pid):
                return True
            time.sleep(_PAUSE)
    return False


def _runs(pid: int) -> bool:
    try:
        # Where it is our own child, it is ours to bury.
        if os.waitpid(pid, getattr(os, "WNOHANG", 0))[0] == pid:
            return False
    except (ChildProcessError, AttributeError):  # not our child, or no waitpid here: the signal below tells
        pass
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    try:
        with open("/proc/%d/stat" % pid) as stream:
            return stream.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


def main(words: "list[str]") -> int:
    """The command line; its exit status."""
    if len(words) > 3 and words[0] == "start" and words[2] == "--":  # noqa: PLR2004 - start NAME -- COMMAND
        try:
            start(words[1], words[3:])
        except (RpcError, OSError) as problem:
            sys.stderr.write("%s\n" % problem)
            return 1
        return 0
    if len(words) == 2 and words[0] == "find":  # noqa: PLR2004 - find NAME
        info = find(words[1])
        sys.stdout.write("%s:%s\n" % (info["host"], info["port"]) if info else "")
        return 0 if info else 1
    sys.stderr.write("usage: sharedserver.py start NAME -- COMMAND...\n       sharedserver.py find NAME\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
