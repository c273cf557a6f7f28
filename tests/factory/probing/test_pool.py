"""The pool: side by side, bounded in time, honest when it cannot, and nothing left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from topcook.factory.probing import InProcessProber, WorkerPool
from topcook.factory.probing.messages import report_data
from topcook.factory.probing.pool import cpus
from topcook.factory.sources import Candidate
from topcook.factory.wire import ProbeReport, record_of

Make = Callable[..., Candidate]
Probe = Callable[..., dict[str, ProbeReport]]
Alive = Callable[[str], list[str]]
Gone = Callable[[str], bool]


def states(reports: dict[str, ProbeReport]) -> dict[str, str]:
    return {name: report.records[0]["state"] for name, report in reports.items()}


def codes(report: ProbeReport) -> list[str]:
    return [problem["code"] for record in report.records for problem in record["problems"]]


def test_a_worker_says_what_the_same_code_says_in_this_process(make: Make, probe: Probe) -> None:
    from topcook.factory import Factory

    bad = "class Farm:\n  def onTick(self, x): ...\ndef registerTypes(r):\n  r.registerScheduler(Farm, 'bad')\n"
    candidates = [make("good"), make("bad", text=bad), make("torn", "def f(:\n"), make("helper", text="X = 1\n")]
    mine: dict[str, ProbeReport] = {}
    InProcessProber(Factory([]).registry).probe(candidates, lambda each, report: mine.setdefault(each.stem, report))
    theirs = probe(*candidates)
    for candidate in candidates:
        here, there = mine[candidate.stem], theirs[candidate.stem]
        for record in (*here.records, *there.records):
            record["import_ms"] = 0.0
        assert here.records == there.records
        assert (here.files, here.missing, here.transient) == (there.files, there.missing, there.transient)
        assert record_of(there.records[0], candidate.origin).type_object is None
        assert there.live == []


def test_files_that_wait_for_each_other_are_executed_side_by_side(make: Make, probe: Probe, tmp_path: Path) -> None:
    # More than there are processors: each ends only when all have begun.
    count = cpus() + 4
    head = f"""
        import os, time
        open(os.path.join({str(tmp_path)!r}, os.path.basename(__file__) + ".began"), "w").close()
        while len([each for each in os.listdir({str(tmp_path)!r}) if each.endswith(".began")]) < {count}:
            time.sleep(0.01)
    """
    reports = probe(*(make(f"waits{number}", head) for number in range(count)), limit=30.0)
    assert set(states(reports).values()) == {"ok"}


def test_what_is_not_finished_by_the_deadline_is_returned_and_can_be_probed_again(
    make: Make, probe: Probe, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    waits = make("waits", f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.01)\n")
    others = [make(f"good{number}") for number in range(3)]
    pool, found = WorkerPool(), []
    # A worker is there: what it has to do in time is little.
    assert states(probe(make("first"), pool=pool)) == {"first": "ok"}
    left = pool.probe([waits, *others], lambda each, _: found.append(each.stem), time.monotonic() + 8)
    assert ([each.stem for each in left], sorted(found)) == (["waits"], ["good0", "good1", "good2"])
    gate.touch()
    assert states(probe(*left, pool=pool)) == {"waits": "ok"}
    pool.close()


def test_workers_are_kept_for_the_next_file_unless_they_are_no_longer_as_they_began(make: Make, probe: Probe) -> None:
    who = "import os\nopen(__file__ + '.pid', 'w').write(str(os.getpid()))\n"
    pool = WorkerPool(most=1)

    def pid_of(candidate: Candidate) -> str:
        assert states(probe(candidate, pool=pool)) == {candidate.stem: "ok"}
        return Path(candidate.path + ".pid").read_text(encoding="utf-8")

    first, second = pid_of(make("first", who)), pid_of(make("second", who))
    spoiling = pid_of(make("spoiling", who + "import json\njson.load = None\n"))
    after = pid_of(make("after", who))
    pool.close()
    assert first == second == spoiling != after


def test_a_waiting_worker_that_was_killed_is_nobodys_fault(
    make: Make, probe: Probe, token: str, still_alive: Alive
) -> None:
    pool = WorkerPool()
    pool.warm()
    for line in still_alive(token):
        os.kill(int(line.split()[0]), signal.SIGKILL)
    while still_alive(token):
        time.sleep(0.01)
    reports = probe(make("good"), pool=pool)
    pool.close()
    assert states(reports) == {"good": "ok"}


def test_a_worker_that_imported_what_may_be_edited_serves_one_call_only(
    make: Make, probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    library = tmp_path / "studio_library_of_the_test.py"
    pool = WorkerPool(most=1)
    for value in ("one", "another"):
        library.write_text(f"LABEL = {value!r}\n", encoding="utf-8")
        os.utime(library, ns=(0, len(value)))
        text = "import studio_library_of_the_test as s\ndef registerTypes(r):\n    raise ValueError(s.LABEL)\n"
        report = probe(make("asks", text=text), pool=pool)["asks"]
        assert value in report.records[0]["problems"][0]["message"]
    pool.close()


def test_who_dies_of_another_files_doing_is_tried_again_alone(
    make: Make, probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "shared_of_the_test.py").write_text("def connect(): pass\n", encoding="utf-8")
    # Nobody watches third-party code: the second file pays for the first.
    culprit = make("culprit", "import os, shared_of_the_test as s\ns.connect = lambda: os._exit(5)\n")
    victim = make("victim", "import shared_of_the_test as s\ns.connect()\n")
    reports = probe(culprit, victim, make("after"), pool=(pool := WorkerPool(most=1)))
    pool.close()
    assert states(reports) == {"culprit": "ok", "victim": "ok", "after": "ok"}


def test_a_file_sees_the_environment_and_the_path_of_its_host_and_none_of_its_descriptors(
    make: Make, probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARM_SECRET", "swordfish")
    monkeypatch.syspath_prepend(str(tmp_path))
    with open(tmp_path / "open", "w", encoding="utf-8") as stream:
        os.set_inheritable(stream.fileno(), True)
        head = f"""
            import os, sys
            assert os.environ["FARM_SECRET"] == "swordfish"
            assert {str(tmp_path)!r} in sys.path and "" not in sys.path[:1] and os.getcwd() == {os.getcwd()!r}
            assert sys.argv == [""] and sys.prefix == {sys.prefix!r}
            names = [os.path.realpath(f"/proc/self/fd/{{each}}") for each in os.listdir("/proc/self/fd")]
            assert not any(each.endswith("/open") for each in names), names
        """
        report = probe(make("looks", head))["looks"]
    assert (report.records[0]["state"], codes(report)) == ("ok", [])


def test_each_file_finds_what_it_would_find_without_the_ones_before(make: Make, probe: Probe, tmp_path: Path) -> None:
    candidates = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "names_of_the_test.py").write_text(f"WHO = {name!r}\n", encoding="utf-8")
        head = f"""
            import os, sys
            assert "LEFT" not in os.environ
            os.environ["LEFT"] = "x"
            sys.path.append({str(tmp_path / name)!r})
            import names_of_the_test
            assert names_of_the_test.WHO == {name!r}
        """
        candidates.append(make(name, head))
    pool = WorkerPool(most=1)
    assert states(probe(*candidates, pool=pool)) == {"one": "ok", "two": "ok"}
    pool.close()


@pytest.mark.parametrize("executable", ["", "/nowhere/python", "/bin/false", "/bin/cat"])
def test_without_an_interpreter_each_file_is_honestly_not_probed(
    make: Make, probe: Probe, monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    reports = probe(make("one"), make("two"))
    assert states(reports) == {"one": "not probed", "two": "not probed"}
    for report in reports.values():
        assert codes(report) == ["not-probed"]
        assert report.records[0]["reason"].startswith("not executed: ")
        assert report.records[0]["problems"][0]["hint"]
        assert report.transient


def test_what_cannot_be_told_is_a_problem_of_its_file(make: Make, probe: Probe) -> None:
    text = "from pdg.scheduler import PyScheduler\nclass Farm(PyScheduler): ...\n"
    odd = make("odd", text=text + "def registerTypes(r): r.registerScheduler(Farm, name='odd', label=object())\n")
    reports = probe(odd, make("good"))
    assert states(reports)["good"] == "ok"
    assert reports["odd"].records[0]["problems"]


@pytest.mark.parametrize("given", ["label=5", "label='x', category=7"])
def test_a_label_that_is_no_text_is_told_in_words(make: Make, probe: Probe, given: str) -> None:
    text = "import pdg\nfrom pdg.processor import PyProcessor\nclass Odd(PyProcessor):\n    def onGenerate(self, *_): ...\n"
    register = f"def registerTypes(r): r.registerNode(Odd, pdg.nodeType.Processor, name='odd', {given})\n"
    report = probe(make("odd", text=text + register))["odd"]
    assert report.records[0]["state"] == "failed"
    assert "is of type int" in report.records[0]["problems"][0]["message"]


def test_a_report_that_nobody_asked_for_speaks_of_no_other_file(make: Make) -> None:
    """A file that knows how reports look writes one of its own; the worker's real one is not the next file's."""
    spoken: dict[str, Any] = {}
    pool = WorkerPool(most=1)
    pool.probe([make("good")], lambda _, report: spoken.update(report_data(report)), time.monotonic() + 60)
    forged = f"import json, os\ntext = json.dumps({{'report': {spoken!r}}}).encode()\n"
    forge = make("forge", forged + "os.write(701, len(text).to_bytes(4, 'big') + text)\n")
    found: dict[str, str] = {}
    for name in ("one", "two", "three"):
        candidates = [make(name), forge, make(f"after_{name}")]
        pool.probe(
            candidates, lambda each, report: found.update({each.stem: report.records[0]["name"]}), time.monotonic() + 60
        )
    pool.close()
    assert {name: found[name] for name in found if name != "forge"} == {
        name: name for name in ("one", "two", "three", "after_one", "after_two", "after_three")
    }


def test_two_pools_and_two_threads_do_not_disturb_each_other(make: Make, probe: Probe) -> None:
    pools = [WorkerPool(), WorkerPool()]
    groups = [[make(f"{group}{number}") for number in range(8)] for group in "abcd"]
    found: dict[str, dict[str, str]] = {}

    def work(at: int) -> None:
        found[str(at)] = states(probe(*groups[at], pool=pools[at % 2]))

    threads = [threading.Thread(target=work, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pool in pools:
        pool.close()
    assert [len(found[str(at)]) for at in range(4)] == [8] * 4
    assert {state for each in found.values() for state in each.values()} == {"ok"}


def test_closing_ends_what_is_in_work_and_leaves_no_process(make: Make, token: str, tmp_path: Path, gone: Gone) -> None:
    began = tmp_path / "began"
    head = f"import subprocess, time\nP = subprocess.Popen(['sleep', '1000'], start_new_session=True)\nopen({str(began)!r}, 'w')\ntime.sleep(1000)\n"
    pool = WorkerPool()

    def close() -> None:
        while not began.exists():
            time.sleep(0.01)
        pool.close()

    closer = threading.Thread(target=close)
    closer.start()
    left = pool.probe([make("hangs", head)], lambda *_: None)
    closer.join()
    assert [each.stem for each in left] == ["hangs"]
    assert gone(token)
    assert pool.probe(left, lambda *_: None) == left
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    assert not children.exists() or not [
        pid
        for pid in children.read_text(encoding="ascii").split()
        if "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1]
    ]


def test_an_error_of_whoever_takes_the_reports_goes_through_and_leaves_no_process(
    make: Make, token: str, gone: Gone
) -> None:
    def done(*_: Any) -> None:
        raise ZeroDivisionError

    pool = WorkerPool()
    with pytest.raises(ZeroDivisionError):
        pool.probe([make("one"), make("hangs", "import time\ntime.sleep(1000)\n")], done)
    pool.close()
    assert gone(token)


HOST = """
import sys, time
from topcook.factory.probing import WorkerPool
from topcook.factory.records import Origin, Tier
from topcook.factory.sources import Candidate
paths = sys.argv[1:]
candidates = [Candidate(Origin(Tier.PATH, each, ""), each, "x", skipped="") for each in paths]
def done(candidate, report):
    record = report.records[0]
    print(record["name"], record["state"], *[each["code"] for each in record["problems"]], flush=True)
pool = WorkerPool(limit=3.0)
"""

BLOCKED = """
import os, sys
for name in ("fcntl", "resource"):
    sys.modules[name] = None
for name in ("fork", "register_at_fork", "waitid", "setsid", "getresuid"):
    delattr(os, name)
"""


def host(script: str, *candidates: Candidate, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOST + textwrap.dedent(script), *(each.path for each in candidates)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )


HANGING = {
    "in_python": "while True:\n    pass\n",
    "in_c": "import re, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nre.match('(a*)*b', 'a' * 60)\n",
    "with_a_daemon": "import subprocess, time\nsubprocess.Popen(['sh', '-c', 'setsid sleep 1000 & sleep 1000'], start_new_session=True)\ntime.sleep(1000)\n",
}


@pytest.mark.parametrize("kind", HANGING)
def test_no_worker_outlives_a_killed_host(make: Make, token: str, tmp_path: Path, gone: Gone, kind: str) -> None:
    began = tmp_path / "began"
    hanging = make("hangs", f"open({str(began)!r}, 'w').close()\n" + HANGING[kind])
    process = host("pool.limit = 100\npool.probe(candidates, done)", hanging)
    while not began.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert gone(token)


def test_ctrl_c_goes_through_at_once_and_leaves_nothing(make: Make, token: str, tmp_path: Path, gone: Gone) -> None:
    began = tmp_path / "began"
    hanging = make("hangs", f"import time\nopen({str(began)!r}, 'w').close()\ntime.sleep(1000)\n")
    process = host(
        "try:\n    pool.limit = 100\n    pool.probe(candidates, done)\nexcept KeyboardInterrupt:\n    print('stopped')\n",
        hanging,
    )
    while not began.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "stopped\n"
    assert gone(token)


def test_a_host_that_forgets_to_close_leaves_nothing_either(make: Make, token: str, gone: Gone) -> None:
    process = host("pool.probe(candidates, done)\npool.warm(2)", make("good"))
    assert process.communicate(timeout=30)[0] == "good ok\n"
    assert process.returncode == 0
    assert gone(token)


def test_it_works_where_nothing_can_be_forked_and_limits_cannot_be_set(
    make: Make, token: str, tmp_path: Path, gone: Gone
) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLOCKED, encoding="utf-8")
    candidates = [
        make("good"),
        make("exits", "import os\nos._exit(3)\n"),
        make("hangs", "import time\ntime.sleep(1000)\n"),
        make("floods", "while True:\n    print('x' * 100_000)\n"),
        make("patches", "import json\njson.dumps = None\n"),
    ]
    process = host("assert pool.probe(candidates, done) == []\npool.close()", *candidates, PYTHONPATH=str(tmp_path))
    out = process.communicate(timeout=60)[0]
    assert sorted(out.splitlines()) == [
        "exits failed ends-process",
        "floods failed prints-endlessly",
        "good ok",
        "hangs failed endless",
        "patches ok patches-library",
    ]
    assert process.returncode == 0
    assert gone(token)


def test_a_host_without_descriptors_to_spare_says_so(make: Make, token: str, gone: Gone) -> None:
    process = host(
        """
        import resource
        held = [open("/dev/null")]
        import topcook.factory.probing.session, topcook.factory.probing.process, topcook.factory.bundles
        resource.setrlimit(resource.RLIMIT_NOFILE, (held[0].fileno() + 3, held[0].fileno() + 3))
        def done(candidate, report):
            print(report.records[0]["state"], report.records[0]["reason"], flush=True)
        assert pool.probe(candidates, done) == []
        """,
        make("good"),
    )
    assert process.communicate(timeout=30)[0] == "not probed not executed: too many files are open\n"
    assert gone(token)
