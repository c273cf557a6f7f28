"""What files do to the process that executes them: each is named as such, and the file beside it stays fine."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from topcook.factory.probing import WorkerPool
from topcook.factory.probing.traits import TRAITS, place_in
from topcook.factory.sources import Candidate
from topcook.factory.wire import ProbeReport

Make = Callable[..., Candidate]

#: Writes a message of its own where the worker writes its reports.
_FORGE = """
import json, os
def say(text):
    for each in range(700, 704):
        try:
            os.write(each, len(text).to_bytes(4, "big") + text)
        except OSError:
            pass
"""
_FORGED = "say(json.dumps({message}).encode())\n"

#: Name: what stands before the class, the state of the record, and its problems as code:line.
CASES: dict[str, tuple[str, str, list[str]]] = {
    # What ends the worker.
    "sys_exit": ("import sys\nsys.exit(3)\n", "failed", ["exits:2"]),
    "os_exit": ("import os\n\nos._exit(4)\n", "failed", ["ends-process:3"]),
    "os_exit_zero": ("import os\nos._exit(0)\n", "failed", ["ends-process:2"]),
    "segfault": ("import ctypes\ndef f():\n    ctypes.string_at(0)\nf()\n", "failed", ["crashes:3"]),
    "abort": ("import os\nos.abort()\n", "failed", ["crashes:2"]),
    "kills_itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "failed", ["killed:2"]),
    "kills_its_parent": ("import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(60)\n", "failed", ["killed:2"]),
    "stops_itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n", "failed", ["endless:None"]),
    "endless_loop": ("x = 1\nwhile True: x = 1\n", "failed", ["endless:2"]),
    "endless_loop_in_c": (
        "import re, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nre.match('(a*)*b', 'a' * 60)\n",
        "failed",
        ["endless:3"],
    ),
    "waits": ("import time\ndef connect():\n    time.sleep(60)\nconnect()\n", "failed", ["endless:3"]),
    "deep_recursion": ("def f(n):\n    return f(n + 1)\nf(0)\n", "failed", ["raises:2"]),
    "deep_recursion_in_c": (
        (
            "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n    def __getattr__(self, name):\n"
            "        return getattr(self, name + 'x')\nA().x\n"
        ),
        "failed",
        ["crashes:5"],
    ),
    "prints_gigabytes": ("while True:\n    print('x' * 100_000)\n", "failed", ["prints-endlessly:2"]),
    "prints_gigabytes_in_c": (
        "import os\nwhile True:\n    os.write(1, b'x' * 1_000_000)\n",
        "failed",
        ["prints-endlessly:3"],
    ),
    "closes_all": ("import os\nos.closerange(3, 60_000)\n", "failed", ["replaces-process:2"]),
    "closes_all_and_the_output": ("import os\nos.closerange(0, 60_000)\n", "failed", ["replaces-process:2"]),
    "becomes_another": ("import os\nos.execvp('sleep', ['sleep', '1000'])\n", "failed", ["replaces-process:2"]),
    "reports_an_empty_record": (
        _FORGE + _FORGED.format(message={"report": {"records": [{}], "files": [], "missing": [], "transient": 0}}),
        "failed",
        ["garbled:6"],
    ),
    "reports_numbers_for_names": (
        _FORGE + _FORGED.format(message={"report": {"records": [{"name": 5}], "files": [[1, 2, ""]], "missing": [3]}}),
        "failed",
        ["garbled:6"],
    ),
    "reports_that_it_is_ready": (
        _FORGE + _FORGED.format(message={"ready": "x"}) + "while True:\n    pass\n",
        "failed",
        ["garbled:6"],
    ),
    "reports_what_nobody_can_parse": (_FORGE + "say(b'[' * 300_000)\n", "failed", ["garbled:6"]),
    "reports_nothing": (_FORGE + "say(b'')\n", "failed", ["garbled:6"]),
    # What raises something that is more than an error.
    "asks": ("X = 1\ninput('name? ')\n", "failed", ["reads-input:2"]),
    "huge": ("X = bytearray(8 * 1024**3)\n", "failed", ["memory:1"]),
    "interrupts": ("raise KeyboardInterrupt\n", "failed", ["interrupts:1"]),
    "generator_exit": ("raise GeneratorExit\n", "failed", ["raises:1"]),
    "raises_in_str": (
        "class E(Exception):\n    def __str__(self):\n        raise ValueError\nraise E\n",
        "failed",
        ["raises:4"],
    ),
    "raises_base_in_all": (
        (
            "class E(BaseException):\n    def __str__(self):\n        raise E\n    __repr__ = __str__\n"
            "    def __getattribute__(self, name):\n        raise E\nraise E\n"
        ),
        "failed",
        ["raises:?"],
    ),
    # What leaves a mark; the type is usable.
    "forks_and_goes_on": ("import os\nos.fork()\n", "ok", ["forks:2"]),
    "forks_and_ends": (
        "import os\npid = os.fork()\nif pid == 0:\n    os._exit(0)\nos.waitpid(pid, 0)\n",
        "ok",
        ["forks:2"],
    ),
    "forks_a_sleeper": (
        "import os, time\nif os.fork() == 0:\n    time.sleep(1000)\n",
        "ok",
        ["forks:2", "leaves-children:2"],
    ),
    "leaves_a_child": (
        "import subprocess\nP = subprocess.Popen(['sleep', '1000'])\n",
        "ok",
        ["leaves-children:2"],
    ),
    "leaves_a_child_of_its_own_session": (
        "import subprocess\nP = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n",
        "ok",
        ["leaves-children:2"],
    ),
    "leaves_a_thread": (
        "import threading, time\ndef work():\n    time.sleep(1000)\nthreading.Thread(target=work).start()\n",
        "ok",
        ["leaves-threads:3"],
    ),
    "leaves_a_bare_thread": (
        "import _thread, time\n_thread.start_new_thread(time.sleep, (1000,))\n",
        "ok",
        ["leaves-threads:2"],
    ),
    "leaves_a_thread_that_exits": (
        (
            "import threading, time, os\ndef work():\n    time.sleep(0.3)\n    os._exit(9)\n"
            "threading.Thread(target=work).start()\n"
        ),
        "ok",
        ["leaves-threads:3"],
    ),
    "patches_a_function": ("import json\njson.dumps = lambda *_: 'x'\n", "ok", ["patches-library:2"]),
    "patches_a_method": (
        "import threading\nthreading.Thread.run = lambda self: None\n",
        "ok",
        ["patches-library:2"],
    ),
    "patches_what_it_imported_first": (
        "import imaplib\nimaplib.Time2Internaldate = lambda *_: 1\n",
        "ok",
        ["patches-library:2"],
    ),
    "patches_a_builtin": ("import builtins\nbuiltins.open = None\n", "ok", ["patches-library:2"]),
    "patches_ours": (
        "from pdg.scheduler import PyScheduler\nPyScheduler.onTick = lambda self: None\n",
        "ok",
        ["patches-library:2"],
    ),
    "patches_expressions": ("import re\nre.compile = None\n", "ok", ["patches-library:2"]),
    "patches_sys": ("import sys\nsys.exit = None\n", "ok", ["patches-library:2"]),
    "patches_the_registry": (
        "import pdg\npdg.TypeRegistry.registerNode = lambda *_: None\n",
        "ok",
        ["patches-library:2"],
    ),
    "patches_what_describes_it": (
        "import topcook.factory.wire\ntopcook.factory.wire.files_of = lambda _: []\n",
        "ok",
        ["patches-library:2"],
    ),
    "hides_a_module_of_ours": (
        "import sys\nsys.modules['topcook.factory.faults'] = None\n",
        "ok",
        ["patches-library:2"],
    ),
    "replaces_a_module": (
        "import sys, types\nsys.modules['json'] = types.ModuleType('json')\n",
        "ok",
        ["patches-library:2"],
    ),
    "changes_directory": ("import os\nos.chdir('/')\n", "ok", ["changes-directory:2"]),
    "closes_stdout": ("import sys\nsys.stdout.close()\n", "ok", ["closes-output:2"]),
    "closes_the_standard_three": (
        "import os\nfor each in (0, 1, 2):\n    os.close(each)\n",
        "ok",
        ["closes-output:3"],
    ),
    "takes_signals": (
        "import signal\nsignal.signal(signal.SIGINT, lambda *_: None)\nsignal.alarm(100)\n",
        "ok",
        ["takes-signals:2"],
    ),
    "traces": ("import sys\nsys.settrace(lambda *_: None)\n", "ok", ["sets-trace:2"]),
    "changes_the_umask": ("import os\nos.umask(0)\n", "ok", ["changes-process:2"]),
    "changes_limits": (
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))\n",
        "ok",
        ["changes-process:2"],
    ),
    "deletes_itself": ("import os\nos.remove(__file__)\n", "ok", ["deletes-itself:2"]),
    # Habits: no problem at all.
    "hangs_at_exit": ("import atexit, time\natexit.register(time.sleep, 1000)\n", "ok", []),
    "prints_a_line": ("import sys\nprint('hello')\nsys.stderr.write('x')\n", "ok", []),
    "reads_what_is_not_there": ("import sys\nassert sys.stdin.read() == ''\n", "ok", []),
    "hooks_of_sys": ("import sys\nsys.excepthook = sys.displayhook = print\n", "ok", []),
    "usual_habits": (
        (
            "import gettext, logging, os, sys, warnings\nsys.path.insert(0, '/nowhere')\nos.environ['X'] = '1'\n"
            "logging.basicConfig(level=10)\nlogging.info('x')\ngettext.install('x')\nwarnings.simplefilter('error')\n"
        ),
        "ok",
        [],
    ),
    "opens_a_log": (
        "import logging, os\nlogging.getLogger('x').addHandler(logging.FileHandler(os.devnull))\n",
        "ok",
        [],
    ),
    "runs_commands": (
        (
            "import subprocess\nsubprocess.run(['true'], preexec_fn=lambda: None)\n"
            "subprocess.check_output('echo x; echo y >&2', shell=True)\n"
        ),
        "ok",
        [],
    ),
    "a_thread_asks_for_the_registry": (
        "import threading, pdg\nt = threading.Thread(target=pdg.TypeRegistry.types)\nt.start()\nt.join()\n",
        "ok",
        [],
    ),
    "a_thread_that_ends": ("import threading\nt = threading.Thread(target=print)\nt.start()\n", "ok", []),
}


def problems_of(report: ProbeReport) -> list[dict[str, Any]]:
    return [problem for record in report.records for problem in record["problems"]]


@pytest.fixture(scope="module")
def reports(make: Make, gone: Callable[[str], bool]) -> dict[str, ProbeReport]:
    """All cases, each with a good file after it, through one pool: whatever one does, the others are fine."""
    candidates = []
    for name, (head, _, _) in CASES.items():
        candidates += [make(name, head), make(f"beside_{name}")]
    word = uuid.uuid4().hex
    found: dict[str, ProbeReport] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROBE_TEST", word)
        pool = WorkerPool(limit=3.0)
        left = pool.probe(candidates, lambda each, report: found.setdefault(each.stem, report), time.monotonic() + 90)
        pool.close()
    assert left == []
    assert gone(word), "no process may be left"
    return found


@pytest.mark.parametrize("name", CASES)
def test_what_a_file_does_to_its_process_is_named_as_such(name: str, reports: dict[str, ProbeReport]) -> None:
    _, state, expected = CASES[name]
    report = reports[name]
    found = problems_of(report)
    lines = [
        f"{each['code']}:{'?' if want.endswith('?') else each['line']}"
        for each, want in zip(found, expected, strict=False)
    ]
    assert (report.records[0]["state"], lines, len(found)) == (state, expected, len(expected)), found
    for problem in found:
        assert problem["path"].endswith(f"{name}.py")
        if problem["code"] in TRAITS:
            assert problem["hint"]
            assert TRAITS[problem["code"]].tolerated is (state == "ok")


@pytest.mark.parametrize("name", CASES)
def test_the_file_beside_it_is_fine(name: str, reports: dict[str, ProbeReport]) -> None:
    report = reports[f"beside_{name}"]
    assert (report.records[0]["state"], problems_of(report)) == ("ok", [])


def test_a_record_of_a_dead_file_answers_to_its_names_and_knows_its_version(reports: dict[str, ProbeReport]) -> None:
    report = reports["os_exit"]
    (record,) = report.records
    assert (record["name"], record["kind"]) == ("os_exit", "scheduler")
    assert "farm" in record["aliases"]
    assert record["content_hash"]
    assert report.files[0].content.startswith(b"import os")


def test_what_hangs_on_the_moment_says_so(reports: dict[str, ProbeReport]) -> None:
    assert {name for name in CASES if reports[name].transient} == {
        "endless_loop",
        "endless_loop_in_c",
        "huge",
        "kills_its_parent",
        "kills_itself",
        "stops_itself",
        "waits",
    }


def test_every_trait_says_what_to_type_and_stands_in_one_table() -> None:
    assert all(trait.message and trait.hint and trait.code == code for code, trait in TRAITS.items())


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"x\n  os.chdir(1)\n", (2, 6)),
        (b"# chdir(1)\nchdir(1)", (2, 1)),
        ("é = os.chdir(1)".encode(), (1, 8)),
        (b"", (None, None)),
    ],
)
def test_places_are_found_in_the_text_outside_of_comments(text: bytes, place: tuple[int | None, int | None]) -> None:
    assert place_in(text, rb"\bchdir\(") == place
