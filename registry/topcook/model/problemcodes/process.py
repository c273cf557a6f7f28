"""Problems of what a types file does to the process that executes it, in the order of ``factory.probing.traits``."""

from __future__ import annotations

from topcook.model.problemcodes.row import Code

__all__ = ["PROCESS"]

_RAISE = "It was executed in a process of its own, so nothing else was lost. "

PROCESS: tuple[Code, ...] = (
    Code("ends-process", "the file ends its process (os._exit)", _RAISE + "Raise an exception instead."),
    Code("crashes", "the file crashes its process", _RAISE + "Look at native code: ctypes, extension modules."),
    Code("killed", "the process was killed while the file was executed", _RAISE + "Memory may have been short."),
    Code(
        "endless",
        "the file was still being executed when its time was up",
        _RAISE + "The line is where it stood. Connect to servers in onStart, with a timeout.",
        "client = connect(SERVER)",
        "def onStart(self):\n    self.client = connect(SERVER, timeout=5)",
    ),
    Code("prints-endlessly", "the file prints without end", _RAISE + "Take the print out of the loop."),
    Code(
        "replaces-process",
        "the file closes all descriptors, or becomes another program",
        _RAISE + "Close only what the file itself opened; start programs with subprocess, in a callback.",
    ),
    Code(
        "breaks-process", "the file leaves a process in which nothing works any more", _RAISE + "Undo what it changed."
    ),
    Code(
        "unspeakable",
        "what the file registers cannot be told by its process",
        _RAISE + "Look for odd names and values.",
    ),
    Code(
        "garbled", "what the process reported cannot be read", _RAISE + "It writes to descriptors that are not its own."
    ),
    Code("memory", "the file asks for too much memory", "Reserve big buffers when they are needed, in a callback."),
    Code("reads-input", "the file asks for input", "Nobody is there to answer: take input() out, ask with parms."),
    Code("interrupts", "the file raises KeyboardInterrupt", "Nobody pressed Ctrl-C: raise another exception."),
    Code("not-probed", "the file was not executed: no process could be started for it", "It says why, and what to do."),
    Code(
        "leaves-threads",
        "threads are left running",
        "They would run in every program that lists types. Start them in onStart, end them in onStop.",
    ),
    Code(
        "leaves-children", "processes are left running", "Start them in onStart, end them in onStop, or wait for them."
    ),
    Code("forks", "the file forks its process", "A fork has all locks of its parent and none of its threads."),
    Code(
        "patches-library",
        "the file replaces a part of the standard library",
        "It would be replaced for everything in the process. Keep the replacement to the file's own functions.",
        "time.sleep = my_sleep",
        "def sleep(seconds): ...",
    ),
    Code(
        "changes-directory", "the file changes the working directory", "Use absolute paths, or pass cwd= to commands."
    ),
    Code("closes-output", "the file closes or redirects standard input or output", "Leave 0, 1 and 2 alone."),
    Code("takes-signals", "the file installs signal handlers or timers", "Clean up in onStop and onStopCook instead."),
    Code("sets-trace", "a debugger or profiler is left installed", "Take sys.settrace and sys.setprofile out."),
    Code("changes-process", "the file changes umask, limits, locale or priority", "Change them for commands alone."),
    Code("deletes-itself", "the file is gone after it was executed", "It would be found only once."),
)
