"""Ends the jobs of a cook that was canceled while Slurm did not answer: a process of its own, which outlives the cook.

    python -m topcook_slurm.later '{"conf": "", "ids": ["12_3", …], "names": ["work.4", …]}'

``names`` are submissions of which nobody has heard whether they got through, by the end of their jobs' comment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from topcook.author.farm import EngineAwayError
from topcook_slurm.commands import Slurm
from topcook_slurm.ids import condensed
from topcook_slurm.submissions import name_of

__all__ = ["cancel_later", "end"]

#: Seconds for which it is tried, and between two tries.
_DAY, _FIRST_PAUSE, _LONGEST_PAUSE = 86_400.0, 1.0, 60.0


def cancel_later(conf: str, ids: Iterable[str], names: Iterable[str], log: Path) -> None:
    """Start it; raises ``OSError``. What it says goes to ``log``."""
    # Thousands of tasks would be no word of a command line.
    asked = json.dumps({"conf": conf, "ids": condensed(sorted(ids)), "names": sorted(names)})
    words = [sys.executable, "-m", "topcook_slurm.later", asked]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with log.open("ab") as stream:
        # No child of ours: those of a scheduler that takes long to stop are ended.
        subprocess.run(
            ["/bin/sh", "-c", '"$@" &', "sh", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            check=False,
        )


def end(
    slurm: Slurm,
    ids: Iterable[str],
    names: Iterable[str],
    *,
    seconds: float = _DAY,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Cancel these jobs as soon as Slurm answers; whether it did in time. Raises ``EngineError`` where it refuses."""
    wanted, named = set(ids), set(names)
    until, pause = clock() + seconds, _FIRST_PAUSE
    while True:
        try:
            found = {job.id for job in slurm.jobs().values() if name_of(job) in named} if named else set()
            slurm.cancel(wanted | found)
        except EngineAwayError:
            if clock() > until:
                return False
        else:
            return True
        sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _main() -> int:
    asked = json.loads(sys.argv[1])
    return 0 if end(Slurm(asked["conf"]), asked["ids"], asked["names"]) else 1


if __name__ == "__main__":
    sys.exit(_main())
