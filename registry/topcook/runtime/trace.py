"""``cook --trace-callbacks``: each callback and each notification, a line in the scheduler's own log."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.model.notification import Notification

#: The longest that one argument or return is shown.
LONGEST = 120


def shown(value: object) -> str:
    """A value in a few words; a container of work items as its length."""
    if isinstance(value, dict | list | tuple) and len(value) > 3:  # noqa: PLR2004 - few enough to read
        return f"{type(value).__name__} of {len(value)}"
    try:
        text = repr(value)
    except BaseException as error:  # noqa: BLE001 - an author's __repr__; a trace must not end the callback
        text = f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def called(name: str, args: Sequence[Any], outcome: str, began: float) -> str:
    """The line of a callback that has ended; ``began`` is a reading of ``time.perf_counter()``."""
    spent = (time.perf_counter() - began) * 1000
    return f"trace {_now()} {name}({', '.join(map(shown, args))}) {outcome} in {spent:.3f} ms\n"


def told(said: Notification, by: str) -> str:
    """The line of a notification; ``by`` says which way it came."""
    about = f"item={said.item!r} index={said.index}"
    payload = f" {shown(said.payload)}" if said.payload else ""
    job = f" jobid={said.job_id!r}" if said.job_id else ""
    return f"trace {_now()} {by} {said.kind.value}: {about}{payload}{job} [{threading.current_thread().name}]\n"


def _now() -> str:
    now = time.time()
    return f"{time.strftime('%H:%M:%S', time.localtime(now))}.{int(now % 1 * 1000):03d}"
