"""The job of a batch system in which workers run: what dask-jobqueue makes of it, and what it leaves to be mended."""

from __future__ import annotations

import asyncio
import re
import shlex
import time
from collections.abc import Callable
from typing import Any, Protocol

from topcook_dask.asking import call

__all__ = ["job_class", "words_of"]

#: Seconds until a submission that failed is tried again.
_AGAIN = 30.0
#: Words of engines that will answer later.
_AWAY = re.compile(
    r"unable to contact|timed out|timeout|connection refused|cannot connect|try again|temporarily|is not responding"
    r"|failed to connect|can't find address|please wait",
    re.IGNORECASE,
)


class Heard(Protocol):
    """Who is told what becomes of jobs."""

    #: When each was submitted, by its id, in seconds of the monotonic clock.
    submitted: dict[str, float]
    #: Called with ``problem``: something that somebody should know.
    tell: Callable[..., None]

    def failed(self, why: str) -> None:
        """A submission did not succeed."""


def words_of(error: BaseException) -> str:
    """The engine's own words, where dask-jobqueue has wrapped them."""
    text = str(error)
    said = text.partition("stderr:\n")[2].strip()
    return said or text.strip() or type(error).__name__


def job_class(base: Any, heard: Heard) -> Any:
    """The engine's job, which says what becomes of it."""
    from distributed import Status

    class Job(_written_class(base)):  # type: ignore[misc]
        status: Any

        async def start(self) -> None:
            for pause in (1.0, 4.0, 0.0):
                try:
                    await super().start()
                except Exception as error:
                    if pause and _AWAY.search(str(error)):
                        await asyncio.sleep(pause)
                        continue
                    heard.failed(words_of(error))
                    asyncio.get_running_loop().call_later(_AGAIN, self._forget)
                    raise
                heard.submitted[self.job_id] = time.monotonic()
                return

        def _forget(self) -> None:
            cluster = self._cluster()
            if cluster is not None and cluster.workers.get(self.name) is self:
                del cluster.workers[self.name]

        async def close(self) -> None:
            for pause in (1.0, 2.0, 4.0, 0.0):
                try:
                    if self.job_id:
                        await call([*shlex.split(self.cancel_command), self.job_id])
                    break
                except RuntimeError as error:
                    # Else it is gone already.
                    if not _AWAY.search(str(error)):
                        break
                    if not pause:
                        heard.tell(problem=f"the job {self.job_id} could not be ended: {words_of(error)}")
                    await asyncio.sleep(pause)
            self.status = Status.closed

    return Job


def _written_class(base: Any) -> Any:
    """The engine's job with a script that its shell and its engine read as it is meant."""

    class Written(base):  # type: ignore[misc]
        job_header: str | None

        def __init__(self, *args: Any, security: Any = None, **options: Any) -> None:
            super().__init__(*args, security=_Quoted(security) if security else None, **options)
            if self.job_header is not None:  # HTCondor's is written otherwise, line by line
                self.job_header = _quoted(self.job_header, self.log_directory)

        async def _submit_job(self, script_filename: str) -> Any:
            if not getattr(self, "use_stdin", False):
                return await super()._submit_job(script_filename)
            # dask-jobqueue throws away what bsub complains of.
            return await self._call(["sh", "-c", f"{self.submit_command} < {shlex.quote(script_filename)}"])

    return Written


class _Quoted:
    """Certificates with paths for a shell: dask-jobqueue writes them into the script as they are."""

    def __init__(self, security: Any) -> None:
        self._security = security

    def get_tls_config_for_role(self, role: str) -> dict[str, Any]:
        """What ``distributed.Security`` answers, with paths in quotes where a shell needs them."""
        found = self._security.get_tls_config_for_role(role)
        return {name: shlex.quote(value) if isinstance(value, str) else value for name, value in found.items()}


def _quoted(header: str, place: str | None) -> str:
    """Directives with a directory in quotes, where engines would take it for several words."""
    if not place or shlex.quote(place) == place:
        return header
    lines = (line.partition(place) for line in header.splitlines())
    return "\n".join(f'{before}"{found}{after}"' if found else before for before, found, after in lines)
