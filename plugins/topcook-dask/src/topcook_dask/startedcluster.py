"""A cluster that is started for a cook, and ends with it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, cast

import distributed

from topcook_dask.settings import PREFIX, ConnectError

__all__ = ["START", "StartedCluster"]

#: Seconds for a cluster to start: a batch system that is busy takes its time to answer.
START = 120.0
#: Seconds for a cluster to end; jobs of a batch system that is away are tried for longer, by the process that is left.
_END = 25.0
#: So many jobs are named one by one.
_SHOWN = 5


class StartedCluster:
    """What was started for a cook: a process that holds it, and ends it when this one is gone."""

    def __init__(self, spec: Mapping[str, Any], log: str, say: Callable[[str], None]) -> None:
        """Start it; raises ``ConnectError``."""
        self._say, self._log = say, log
        self._first: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._absent: list[str] = []
        self.kind = spec["kind"]
        program = Path(__file__).with_name("clusterhost.py")
        if log:
            os.makedirs(os.path.dirname(log), exist_ok=True)
        if spec["folder"]:
            os.makedirs(spec["folder"], exist_ok=True)
        with open(log or os.devnull, "ab") as stream:
            self._process = subprocess.Popen(
                # -P: the modules beside it are no top-level modules.
                [sys.executable, "-P", str(program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                # Engines begin a job where it was submitted: nodes may not have the directory of the cook.
                cwd=spec["folder"] or None,
                # Ctrl-C at the cook is the cook's: it ends the cluster when it has ended its jobs.
                start_new_session=True,
            )
        # Both are pipes, as asked for.
        self._stdin, self._stdout = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        threading.Thread(target=self._listen, name="dask-cluster", daemon=True).start()
        try:
            self._write(json.dumps(spec))
            said = self._first.get(timeout=START)
        except queue.Empty:
            said = {"failed": f"it has not come up within {START:g} s"}
        except OSError as error:
            said = {"failed": str(error)}
        if "failed" in said:
            self.close()
            raise ConnectError(self._why_not(said["failed"]))
        self.address, self.dashboard = said["address"], said["dashboard"]
        self.security = _security_of(said["tls"])

    def waits_for(self) -> str:
        """The jobs whose workers have not come; empty when there are none."""
        if not self._absent:
            return ""
        more = f" and {len(self._absent) - _SHOWN} more" if self._absent[_SHOWN:] else ""
        return f"workers have not come from {self.kind}: {', '.join(self._absent[:_SHOWN])}{more}"

    def close(self) -> None:
        """End it, and come back when it has ended."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._say(f"the cluster on {self.kind} has not ended within {_END:g} s; it is ended in the background")

    def _why_not(self, text: str) -> str:
        if "how much cores and memory" in text:
            text = "what a job of it takes is not said"
            remedy = f'{PREFIX}_threads = 4 and {PREFIX}_workermemory = "8GB", or a section of jobqueue.yaml'
        elif "how much disk" in text:
            text, remedy = "what disk a job of it takes is not said", f'{PREFIX}_disk = "1GB"'
        else:
            remedy = f"its log is {self._log}" if self._log else ""
        lines = [f"the cluster ({PREFIX}_cluster is {self.kind}) could not be started: {text}", remedy]
        return "\n    ".join(filter(None, lines))

    def _write(self, line: str) -> None:
        self._stdin.write(line.encode() + b"\n")
        self._stdin.flush()

    def _listen(self) -> None:
        has_begun = False
        with self._stdout:
            for line in self._stdout:
                said = json.loads(line)
                if "problem" in said:
                    # What keeps it from starting is told by what is raised.
                    if has_begun:
                        self._say(f"the cluster on {self.kind}: {said['problem']}")
                elif "workers" in said:
                    self._absent = said["absent"]
                else:
                    has_begun = "address" in said
                    self._first.put(said)
        why = f"the process that holds it has ended with status {self._process.wait()}"
        self._first.put({"failed": why})
        if has_begun and not self._stdin.closed:
            self._absent = [why]
            self._say(f"the cluster on {self.kind}: {why}")


def _security_of(tls: Mapping[str, str]) -> Any:
    if not tls:
        return None
    return distributed.Security(
        tls_ca_file=tls["ca_file"], tls_client_cert=tls["cert"], tls_client_key=tls["key"], require_encryption=True
    )
