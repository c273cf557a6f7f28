"""What a types file can do to the process that executes it: one table.

``message`` and ``hint`` are templates; what a probe found out is put in. ``pattern`` finds the place in the text of
the file where the interpreter cannot tell it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from topcook.contract.tolerated import TOLERATED
from topcook.errors import Problem
from topcook.lean import dataclass

if TYPE_CHECKING:
    from topcook.factory.sources import Candidate

__all__ = ["TRAITS", "Trait", "place_in", "trait_problem"]


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing that a probe notices."""

    code: str
    message: str
    hint: str
    pattern: bytes = b""

    @property
    def tolerated(self) -> bool:
        """Whether it leaves the type usable: it is listed with it then."""
        return self.code in TOLERATED


_ROWS = (
    # It cost the worker its life: there is no type.
    Trait(
        "ends-process",
        "ended its process with status {status} (os._exit) while it was executed",
        "raise an exception instead: a types file must never end the process it is loaded by",
        rb"\b_exit\s*\(",
    ),
    Trait(
        "crashes",
        "crashed its process ({signal}) while it was executed",
        "look at the native code it calls there (ctypes, an extension module): load it where it is used, in onStart",
    ),
    Trait(
        "killed",
        "its process was killed ({signal}) while it was executed",
        "was memory short, or does something end processes here? Ask again with: topcook check {path}",
        rb"\bos\.(?:kill|killpg)\s*\(|\bpthread_kill\s*\(|\braise_signal\s*\(",
    ),
    Trait(
        "endless",
        "was still executing after {seconds:g} s, and was ended",
        "move waiting and connecting from the top of the file into onStart, and give calls over the network a timeout",
    ),
    Trait(
        "prints-endlessly",
        "printed more than {mebibytes} MiB while it was executed, and was ended",
        "take the print out of the loop; a types file should print nothing",
        rb"\bprint\s*\(|\bwrite\s*\(",
    ),
    Trait(
        "replaces-process",
        "cut the connection to its process: it closed all descriptors or became another program (os.exec…)",
        "close only what the file itself opened; start programs with subprocess, in a callback",
        rb"\bos\.exec[lv]p?e?\s*\(|\bclosefrom\s*\(|\bcloserange\s*\(|\bos\.close\s*\(",
    ),
    Trait(
        "breaks-process",
        "left its process unable to go on: something that everybody needs was replaced or broken",
        "leave other modules as they are, and put replacements into functions of the file's own",
    ),
    Trait(
        "unspeakable",
        "what it registers cannot be told",
        "give names, labels and parms as plain text, numbers and lists, and leave other modules as they are",
    ),
    Trait(
        "garbled",
        "what its process reported cannot be read",
        "it writes to descriptors that are not its own; take that out",
        rb"\bos\.write\s*\(",
    ),
    # It raised something that says more than its name.
    Trait(
        "memory",
        "asked for more memory than a types file may have while it is executed",
        "reserve big buffers when they are needed, in onStart or in a callback",
    ),
    Trait(
        "reads-input",
        "asked for input while it was executed, and there is nobody to answer",
        "take input() out; ask for values with parms",
    ),
    Trait(
        "interrupts",
        "raised KeyboardInterrupt while it was executed",
        "a types file must not pretend that Ctrl-C was pressed; raise another exception",
    ),
    # It could not be asked at all.
    Trait(
        "not-probed",
        "was not executed: no probe worker can be started ({why})",
        "{todo}",
    ),
    # It left its mark on the process, and works.
    Trait(
        "leaves-threads",
        "leaves {what} running after it was executed",
        "start threads in onStart and end them in onStop: importing a types file should only define",
        rb"\.start\s*\(\s*\)|\bstart_new_thread\s*\(|\bThreadPoolExecutor\b",
    ),
    Trait(
        "leaves-children",
        "leaves {what} running after it was executed",
        "start processes in onStart and end them in onStop, or wait for them",
        rb"\b(?:Popen|fork|spawnl\w*|spawnv\w*|posix_spawn\w*|Process|system)\s*\(",
    ),
    Trait(
        "forks",
        "forks its process while it is executed",
        "start programs with subprocess, in a callback: a forked cook has all its locks, but none of its threads",
        rb"\bfork(?:pty)?\s*\(",
    ),
    Trait(
        "patches-library",
        "replaces {what}, for everything in the process that loads it",
        "put the replacement into a function or class of the file's own, and call that",
    ),
    Trait(
        "changes-directory",
        "changes the working directory while it is executed; that is undone",
        "use absolute paths, made from os.path.dirname(__file__), or pass cwd= to the command",
        rb"\bf?chdir\s*\(",
    ),
    Trait(
        "closes-output",
        "closes or redirects the process's standard input or output ({what})",
        "leave 0, 1 and 2 alone: the process that loads the file needs them",
        rb"\bstd(?:out|err|in)\.(?:close|detach)\s*\(|\bos\.(?:close|closerange|dup2)\s*\(",
    ),
    Trait(
        "takes-signals",
        "installs a handler or timer for {what} while it is executed",
        "clean up in onStop and onStopCook instead: the process that cooks needs its signals",
        rb"\bsignal\.(?:signal|setitimer|alarm|set_wakeup_fd)\s*\(|\bsignal\s*\(\s*(?:signal\.)?SIG|\balarm\s*\(",
    ),
    Trait(
        "sets-trace",
        "leaves a trace or profile function installed (sys.settrace, sys.setprofile)",
        "take the debugger or profiler out of the file",
        rb"\bset(?:trace|profile)\s*\(|\bset_trace\s*\(",
    ),
    Trait(
        "changes-process",
        "changes {what} of the whole process while it is executed",
        "change it for the commands that need it, where they are started",
        rb"\bumask\s*\(|\bsetrlimit\s*\(|\bsetlocale\s*\(|\bnice\s*\(|\bsetpriority\s*\(",
    ),
    Trait(
        "deletes-itself",
        "is gone from the disk after it was executed",
        "a types file that removes itself is found only once; take that out",
        rb"\bos\.(?:remove|unlink|rename|replace)\s*\(|\.unlink\s*\(|\brmtree\s*\(",
    ),
)

TRAITS: dict[str, Trait] = {trait.code: trait for trait in _ROWS}


def trait_problem(
    code: str, candidate: Candidate, content: bytes = b"", place: tuple[str, int] | None = None, **found: object
) -> Problem:
    """The problem of a trait: at ``place`` (path, line) if that is known, else where the text says it."""
    trait = TRAITS[code]
    pattern = trait.pattern or found.pop("pattern", b"")
    assert isinstance(pattern, bytes)  # noqa: S101 - of the two, only what a watch gives could be another
    path, line, column = (place[0], place[1], None) if place else (candidate.path, *place_in(content, pattern))
    message = trait.message.format(**found)
    return Problem(code, message, path, line, column, trait.hint.format(**{"path": candidate.path, **found}))


def place_in(content: bytes, pattern: bytes) -> tuple[int | None, int | None]:
    """Line and column of the first match outside of comments; None, None without one."""
    for match in re.finditer(pattern, content) if pattern else ():
        start = content.rfind(b"\n", 0, match.start()) + 1
        before = content[start : match.start()]
        if b"#" not in before:
            column = len(before.decode("utf-8", "replace")) + 1
            return content.count(b"\n", 0, match.start()) + 1, column
    return None, None
