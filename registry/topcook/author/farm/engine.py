"""Commands of a farm's engine: with a time limit, tried again where that helps, and words for those that failed."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from topcook.errors import CookError

__all__ = ["EngineAwayError", "EngineCommand", "EngineError"]


class EngineError(CookError):
    """The engine refused a command, and would again. Its text is for who cooks, as that of ``pdg.CookError`` is."""


class EngineAwayError(EngineError):
    """The engine does not answer, or says that it cannot now: to ask again later helps."""


@dataclass(slots=True)
class EngineCommand:
    """Runs an engine's command-line client.

    ``transient`` are patterns (searched in both outputs, case ignored) of what passes by itself; any other failure is
    permanent. ``tries`` is how often ``run`` tries, with pauses from ``pause`` seconds on, doubled each time;
    ``timeout`` is seconds for one try. ``environment`` replaces this process's own where given.
    """

    engine: str
    transient: Sequence[str] = ()
    timeout: float = 30.0
    tries: int = 3
    pause: float = 0.5
    environment: Mapping[str, str] | None = None
    sleep: Callable[[float], None] = time.sleep
    _pattern: re.Pattern[str] | None = field(init=False, default=None, repr=False)

    def run(self, *argv: str, stdin: str = "", tries: int | None = None) -> str:
        """The command's output; raises ``EngineAwayError`` or ``EngineError`` with the engine's own words."""
        left = self.tries if tries is None else tries
        pause = self.pause
        while True:
            left -= 1
            try:
                return self.once(*argv, stdin=stdin)
            except EngineAwayError:
                if left <= 0:
                    raise
            self.sleep(pause)
            pause *= 2

    def once(self, *argv: str, stdin: str = "") -> str:
        """One try."""
        try:
            done = subprocess.run(
                argv,
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                # No escapes: what they would make of an answer in JSON is none.
                errors="replace",
                timeout=self.timeout,
                env=None if self.environment is None else dict(self.environment),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            # Clients that try again by themselves say why while they do; bytes, whatever the encoding is.
            said = (error.stderr or b"").decode("utf-8", "backslashreplace").strip()[-2000:]
            late = f"{self.engine}: {argv[0]} did not answer within {self.timeout:g} s"
            raise EngineAwayError(f"{late}: {said}" if said else late) from None
        except FileNotFoundError:
            raise EngineError(
                f"{self.engine}: there is no {argv[0]} on this machine\n    install its client, or mend PATH"
            ) from None
        except OSError as error:
            raise EngineError(f"{self.engine}: {argv[0]} cannot be started: {error.strerror or error}") from error
        if done.returncode == 0:
            return done.stdout
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        # Whoever ended the client (a cook that is told to stop) has not heard the engine refuse.
        away = self.passes(said) or done.returncode < 0
        text = f"{self.engine}: {argv[0]}: {_plain(said, argv[0]) or _ending(done.returncode)}"
        raise (EngineAwayError if away else EngineError)(text)

    def passes(self, said: str) -> bool:
        """Whether these words of the engine name something that passes by itself."""
        if self._pattern is None:
            self._pattern = re.compile("|".join(f"(?:{each})" for each in self.transient) or r"(?!)", re.IGNORECASE)
        return self._pattern.search(said) is not None


def _plain(said: str, program: str) -> str:
    """What a client says, without its name and "error" before each line: who says it is told already."""
    return re.sub(rf"^{re.escape(os.path.basename(program))}: (?:(?:error|fatal): )?", "", said, flags=re.MULTILINE)


def _ending(status: int) -> str:
    return f"ended by signal {-status}" if status < 0 else f"exit status {status}"
