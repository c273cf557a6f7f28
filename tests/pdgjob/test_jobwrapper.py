"""The job wrapper, started as a farm starts it: real processes, a real result server, ends on disk."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pdgjob import jobwrapper
from tests.pdgjob.wrapperfarm import DEADLINE, Farm, having
from tests.waiting import until
from topcook.author.farm.job import _text_of
from topcook.model.notification import Kind
from topcook.runtime.resultserver import Address, ResultServerThread
from topcook.testkit.sink import RecordingSink


def told(sink: RecordingSink, *kinds: Kind) -> list[tuple[Kind, Any, Any]]:
    return [
        (said.kind, said.exit_status, said.attempt) for said in sink.notifications if not kinds or said.kind in kinds
    ]


def test_a_job_is_reported_from_start_to_end(farm: Farm, sink: RecordingSink) -> None:
    script = "import os; print('hello', os.environ['PDG_ITEM_ID'], os.getsid(0) == os.getpid())"
    assert farm.run(script, env={"PDG_JOBID": "44"}) == 0
    assert told(sink) == [(Kind.STARTED, None, 2), (Kind.SUCCEEDED, 0, 2)]
    assert {said.job_id for said in sink.notifications} == {"44"}
    assert sink.notifications[-1].payload[0] > 0
    assert "hello 7 True" in farm.log.read_text()
    assert list(farm.ends.iterdir()) == []


def test_a_failure_is_told_with_its_status_and_the_engine_gets_it_too(farm: Farm, sink: RecordingSink) -> None:
    assert farm.run("raise SystemExit(3)") == 3
    (said,) = (said for said in sink.notifications if said.kind is Kind.FAILED)
    assert (said.exit_status, said.reason) == (3, "exit status 3")


def test_a_job_that_lacks_what_it_was_to_write_has_failed_for_the_engine_too(farm: Farm, sink: RecordingSink) -> None:
    expects = [str(farm.folder / name) for name in ("there", "missing")]
    assert farm.run("open('there', 'w').close()", expects=expects[:1]) == 0
    assert farm.run("open('there', 'w').close()", expects=expects) == 1
    assert told(sink, Kind.SUCCEEDED, Kind.FAILED) == [(Kind.SUCCEEDED, 0, 2), (Kind.FAILED, 0, 2)]
    assert sink.notifications[-1].reason == f'it ended well, but its output "{expects[1]}" was not written'
    assert farm.run("raise SystemExit(3)", expects=expects) == 3


def test_a_signal_is_passed_on_to_the_engine_as_a_shell_tells_it(farm: Farm, sink: RecordingSink) -> None:
    assert farm.run("import os; os.kill(os.getpid(), 9)") == 128 + 9
    assert told(sink, Kind.FAILED) == [(Kind.FAILED, -9, 2)]


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"argv": ["/no/such/program"]}, 127, '"/no/such/program" could not be used'),
        ({"cwd": "/no/such/place"}, 127, 'its directory "/no/such/place"'),
        ({"argv": ["/etc/hostname"]}, 126, '"/etc/hostname" could not be used'),
    ],
)
def test_a_command_that_cannot_be_started_says_why(
    changes: dict[str, Any], status: int, words: str, farm: Farm, sink: RecordingSink
) -> None:
    assert farm.run("", **changes) == status
    assert told(sink) == [(Kind.FAILED, status, 2)]
    assert words in sink.notifications[0].reason


def test_a_task_of_an_array_runs_what_is_its_own(farm: Farm, sink: RecordingSink) -> None:
    specs = [farm.spec(f"print('task', {number})", item=number, token=f"{farm.token}{number}") for number in range(5)]
    process = farm.start(*specs, env={**os.environ, "SLURM_ARRAY_TASK_ID": "3"})
    assert process.wait(DEADLINE) == 0
    process = farm.start(*specs, words=("1",))
    assert process.wait(DEADLINE) == 0
    assert [said.item for said in sink.notifications if said.kind is Kind.SUCCEEDED] == [3, 1]
    assert "task 3" in farm.log.read_text()


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"TOPCOOK-JOBS 99 1\n"])
def test_what_is_no_job_file_is_refused(content: bytes, farm: Farm) -> None:
    path = farm.folder / "odd"
    path.write_bytes(content)
    words = [sys.executable, str(farm.scripts / "jobwrapper.py"), str(path)]
    found = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert found.returncode == 126
    assert "no job file of this version" in found.stderr


ESCAPING = (
    "import os, signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
)
READY = "open('ready', 'w').close()\ntime.sleep(600)\n"
#: In another session, under another parent, without the mark in its environment.
STRAYING = (
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork():\n"
    "        os._exit(0)\n"
    "    open('strayed', 'w').write(str(os.getpid()))\n"
    "    os.execve('/bin/sleep', ['sleep', '600'], {})\n"
    "os.wait()\n"
    "while not os.path.exists('strayed') or not open('strayed').read(): time.sleep(0.01)\n"
)


def sleeps(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x00600\x00"
    except OSError:
        return False


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1"])
def test_a_signal_ends_all_that_the_job_has_started(name: str, farm: Farm, sink: RecordingSink) -> None:
    process = farm.start(farm.spec(ESCAPING + STRAYING + READY, grace=0.2))
    until((farm.folder / "ready").exists, "the job runs")
    strayed = int((farm.folder / "strayed").read_text())
    process.send_signal(signal.Signals[name])
    assert process.wait(DEADLINE) == 128 + 9
    farm.gone()
    assert not sleeps(strayed)
    assert told(sink)[-1][0] is Kind.CANCELED
    assert sink.notifications[-1].reason == f"ended by {name}"


def test_a_job_that_heeds_the_signal_has_time_for_it(farm: Farm, sink: RecordingSink) -> None:
    script = (
        "import signal, sys, time\n"
        "got = []\n"
        "signal.signal(signal.SIGTERM, lambda *_: got.append(1))\n"
        "open('ready', 'w').close()\n"
        "while not got: time.sleep(0.05)\n"
        "time.sleep(0.3)\n"
        "print('saved, after', len(got))\n"
    )
    process = farm.start(farm.spec(script, grace=DEADLINE))
    until((farm.folder / "ready").exists, "the job runs")
    process.terminate()
    assert process.wait(DEADLINE) == 0
    assert "saved, after 1\n" in farm.log.read_text()
    assert told(sink)[-1][0] is Kind.CANCELED


def test_where_the_engine_is_asked_why_a_signal_is_no_report(farm: Farm, sink: RecordingSink) -> None:
    process = farm.start(farm.spec("open('ready', 'w').close(); import time; time.sleep(600)", signaled="leave"))
    until((farm.folder / "ready").exists, "the job runs")
    process.terminate()
    assert process.wait(DEADLINE) == 128 + 15
    assert told(sink) == [(Kind.STARTED, None, 2)]
    assert (farm.end()["state"], farm.end()["reason"]) == ("signaled", "ended by SIGTERM")


def test_a_job_that_was_signaled_is_no_success_for_the_engine(farm: Farm) -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(0)); open('ready', 'w').close()"
    process = farm.start(farm.spec(f"{script}; time.sleep(600)", signaled="leave", grace=DEADLINE))
    until((farm.folder / "ready").exists, "the job runs")
    process.terminate()
    assert process.wait(DEADLINE) == 1
    assert farm.end()["state"] == "signaled"


@pytest.mark.parametrize("script", ["import os; os.kill(os.getpid(), 9)", "raise SystemExit(137)"])
def test_where_the_engine_is_asked_it_is_asked_who_killed_the_command(
    farm: Farm, sink: RecordingSink, script: str
) -> None:
    """Its memory, mostly: the kernel does so for the engine, and only that one knows the limit."""
    assert farm.run(script, signaled="leave") == 128 + 9
    assert told(sink) == [(Kind.STARTED, None, 2)]
    assert farm.end()["state"] == "signaled"
    assert farm.run("raise SystemExit(9)", signaled="leave") == 9
    assert told(sink, Kind.FAILED) == [(Kind.FAILED, 9, 2)]


def test_a_wrapper_that_is_killed_leaves_no_process(farm: Farm) -> None:
    process = farm.start(farm.spec(ESCAPING + READY))
    until((farm.folder / "ready").exists, "the job runs")
    process.kill()
    farm.gone()
    assert farm.end()["state"] == "lost"


def test_on_a_leash_the_job_ends_with_what_started_it(farm: Farm, sink: RecordingSink) -> None:
    path = farm.folder / "a.jobs"
    path.write_bytes(_text_of([farm.spec("open('ready', 'w').close(); import time; time.sleep(600)", leash=True)]))
    words = [sys.executable, str(farm.scripts / "jobwrapper.py"), str(path)]
    daemon = subprocess.Popen([sys.executable, "-c", f"import subprocess; subprocess.call({words!r})"])
    until((farm.folder / "ready").exists, "the job runs")
    daemon.kill()
    daemon.wait(DEADLINE)
    farm.gone()
    assert farm.end()["state"] == "orphaned"
    assert Kind.CANCELED not in {said.kind for said in sink.notifications}


def test_the_end_is_on_disk_while_nobody_listens_and_told_once_somebody_does(
    farm: Farm, sink: RecordingSink, server: ResultServerThread
) -> None:
    port = int(server.address.rpartition(":")[2])
    server.stop()
    process = farm.start(farm.spec("raise SystemExit(4)"))
    assert (farm.end()["state"], farm.end()["exit"]) == ("failed", 4)
    assert process.poll() is None
    again = ResultServerThread(sink, "sesame", log=lambda _: None, address=Address(ports=(port, port + 1)))
    again.start()
    try:
        assert process.wait(DEADLINE) == 4
        assert told(sink, Kind.FAILED) == [(Kind.FAILED, 4, 2)]
    finally:
        again.stop()


def test_a_cook_that_listens_elsewhere_now_is_found(
    farm: Farm, sink: RecordingSink, server: ResultServerThread
) -> None:
    (farm.scripts / ".pdg_result_server").write_text(server.address + "\n")
    (farm.scripts / ".pdg_result_secret").write_text("sesame")
    env = {"PDG_RESULT_SERVER": "127.0.0.1:9", "PDG_RESULT_SECRET": "of an earlier session"}
    assert farm.run("pass", env=env) == 0
    assert told(sink, Kind.SUCCEEDED) == [(Kind.SUCCEEDED, 0, 2)]


def test_a_job_whose_cook_was_let_go_leaves_what_it_has_to_tell_on_disk_and_tries_for_no_time(
    farm: Farm, sink: RecordingSink, server: ResultServerThread
) -> None:
    """Nobody listens there on purpose; who has the port by now is told nothing."""
    (farm.scripts / ".pdg_result_server").write_text("-\n")
    server.stop()
    script = "import pdgcmd; pdgcmd.addOutputFile('/a.png'); pdgcmd.setIntAttrib('pixels', 512); raise SystemExit(4)"
    assert farm.run(script, env={"PDG_RPC_RETRIES": "1000"}, patience=600.0) == 4
    assert (farm.end()["state"], farm.end()["exit"]) == ("failed", 4)
    assert len((farm.ends / f"{farm.token}.reports").read_text().splitlines()) == 2
    assert sink.notifications == []


def test_a_wrapper_that_tries_to_tell_an_end_stops_when_its_cook_is_let_go(
    farm: Farm, server: ResultServerThread
) -> None:
    server.stop()
    process = farm.start(farm.spec("raise SystemExit(4)", patience=600.0))
    assert farm.end()["exit"] == 4
    assert process.poll() is None
    (farm.scripts / ".pdg_result_server").write_text("-\n")
    assert process.wait(DEADLINE) == 4
    assert farm.end()["exit"] == 4


def test_what_the_job_could_not_report_goes_before_its_end(
    farm: Farm, sink: RecordingSink, server: ResultServerThread
) -> None:
    """The job itself talks to a server that is away; the wrapper finds the cook again."""
    (farm.scripts / ".pdg_result_server").write_text(server.address + "\n")
    script = (
        "import pdgcmd\n"
        "pdgcmd.addOutputFile('/a.png', result_data_tag='file/image')\n"
        "pdgcmd.setIntAttrib('pixels', 512)\n"
        "pdgcmd.addOutputFile('/b.png')\n"
    )
    env = {"PDG_RESULT_SERVER": "127.0.0.1:9", "PDG_RPC_RETRIES": "0"}
    assert farm.run(script, env=env) == 0, farm.log.read_text()
    kinds = [said.kind for said in sink.notifications]
    assert kinds == [Kind.STARTED, Kind.OUTPUTS, Kind.ATTRIBUTE, Kind.OUTPUTS, Kind.SUCCEEDED]
    assert {said.attempt for said in sink.notifications} == {2}
    assert list(farm.ends.iterdir()) == []


def test_without_patience_the_end_stays_on_disk(farm: Farm, server: ResultServerThread) -> None:
    server.stop()
    assert farm.run("pass", patience=0.0) == 0
    assert farm.end()["state"] == "succeeded"


def test_a_signal_ends_the_patience(farm: Farm, server: ResultServerThread) -> None:
    server.stop()
    process = farm.start(farm.spec("pass", patience=600.0))
    farm.end()
    process.terminate()
    assert process.wait(DEADLINE) == 0
    assert farm.end()["state"] == "succeeded"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_stops_no_job(farm: Farm, sink: RecordingSink) -> None:
    assert farm.run("print('x' * 100000, flush=True)", log="/dev/full") == 0
    assert told(sink, Kind.SUCCEEDED) == [(Kind.SUCCEEDED, 0, 2)]
    ((name, (_, text)),) = sink.events
    assert (name, "No space left" in text) == ("warning", True)


def test_places_that_cannot_be_made_stop_no_job(farm: Farm, sink: RecordingSink) -> None:
    (farm.folder / "file").write_text("")
    assert farm.run("pass", log=str(farm.folder / "file" / "log"), ends=str(farm.folder / "file" / "ends")) == 0
    assert told(sink, Kind.SUCCEEDED) == [(Kind.SUCCEEDED, 0, 2)]


def test_a_wrapper_whose_streams_are_closed_runs_its_job(farm: Farm, sink: RecordingSink) -> None:
    path = farm.folder / "a.jobs"
    path.write_bytes(_text_of([farm.spec("print('hello')")]))
    line = f'exec "{sys.executable}" "{farm.scripts}/jobwrapper.py" "{path}" <&- >&- 2>&-'
    assert subprocess.call(["/bin/sh", "-c", line], timeout=DEADLINE) == 0
    assert told(sink, Kind.SUCCEEDED) == [(Kind.SUCCEEDED, 0, 2)]
    assert "hello" in farm.log.read_text()


def test_a_job_without_a_cook_just_runs(farm: Farm, server: ResultServerThread) -> None:
    spec = farm.spec("raise SystemExit(5)")
    del spec["env"]["PDG_RESULT_SERVER"]
    process = farm.start(spec)
    assert process.wait(DEADLINE) == 5
    assert farm.end()["exit"] == 5


def test_a_program_may_run_many_jobs_under_one_guard(farm: Farm, sink: RecordingSink, script_dir: Path) -> None:
    """As a Dask worker does: in threads, canceled from elsewhere, its jobs ended when it is killed."""
    specs = [farm.spec("import time; time.sleep(600)", token=f"{farm.token}{n}", item=n) for n in range(3)]
    program = (
        "import json, sys, threading, time\n"
        "import jobwrapper\n"
        "guard = jobwrapper.Guard()\n"
        "jobs = [jobwrapper.Job(spec, guard) for spec in json.loads(sys.argv[1])]\n"
        "threads = [threading.Thread(target=job.run) for job in jobs]\n"
        "for each in threads: each.start()\n"
        "while not all(job.pid for job in jobs): time.sleep(0.01)\n"
        "jobs[0].cancel('not needed')\n"
        "threads[0].join()\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", program, json.dumps(specs)], cwd=script_dir, stdout=subprocess.PIPE, text=True
    )
    farm.started.append(worker)  # type: ignore[arg-type]
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    assert [said.item for said in sink.notifications if said.kind is Kind.CANCELED] == [0]
    assert [bool(having(spec["token"])) for spec in specs] == [False, True, True]
    worker.kill()
    for spec in specs:
        until(lambda token=spec["token"]: not having(token), "no process left")


def test_what_a_killed_run_has_left_is_ended_and_not_the_run_that_the_engine_began_anew(farm: Farm) -> None:
    script = "import time; time.sleep(600)"
    first = farm.start(farm.spec(script, again=True))
    (left,) = until(lambda: having(farm.token), "it runs")
    second = farm.start(farm.spec(script, again=True))
    until(lambda: len(having(farm.token)) == 2, "it runs anew")
    first.kill()
    until(lambda: left not in having(farm.token), "what the first run has left is ended")
    # The guard that did it ends when all is done.
    until(lambda: farm.end()["state"] == "lost", "it has written so")
    assert having(farm.token)
    second.terminate()
    farm.gone()


def test_a_program_may_have_its_own_way_to_the_cook_and_the_end_stays_on_disk(farm: Farm) -> None:
    class Way(jobwrapper.Cook):
        records = False
        told: ClassVar[list[Any]] = []

        def where(self) -> tuple[str, str]:
            return "by word of mouth", ""

        def call(self, words: list[Any]) -> None:
            self.told.append(words[0])

    spec = farm.spec("pass", again=True)
    assert jobwrapper.Job(spec, None, Way(spec)).run() == 0
    assert farm.end()["state"] == "succeeded"
    assert Way.told == ["start_cook", "ended"]
    # The engine runs it once more, under the same attempt.
    assert jobwrapper.Job(spec, None, Way(spec)).run() == 0
    assert Way.told[2:] == ["ended"]


def test_a_job_that_the_engine_runs_again_after_its_end_tells_that_and_does_not_run(
    farm: Farm, sink: RecordingSink, server: ResultServerThread
) -> None:
    """Its node died before anybody had heard of the end."""
    script = "import pdgcmd\nopen('ran', 'a').write('x')\npdgcmd.addOutputFile('/a.png')\n"
    nobody = {"PDG_RESULT_SERVER": "127.0.0.1:9", "PDG_RPC_RETRIES": "0"}
    assert farm.run(script, again=True, patience=0.0, env=nobody) == 0, farm.log.read_text()
    took = farm.end()["at"] - farm.end()["began"]
    assert farm.run(script, again=True) == 0
    assert (farm.folder / "ran").read_text() == "x"
    assert [said.kind for said in sink.notifications] == [Kind.OUTPUTS, Kind.SUCCEEDED]
    assert sink.notifications[-1].payload[0] == pytest.approx(took, abs=0.5)
    assert list(farm.ends.iterdir()) == []


def test_what_a_full_disk_has_cut_costs_no_other_report(farm: Farm, sink: RecordingSink) -> None:
    script = (
        "import os, pdgcmd\n"
        "pdgcmd.addOutputFile('/a.png')\n"
        "open(os.environ['PDG_REPORT_SPOOL'], 'a').write('[\"add_result_da\\n')\n"
        "pdgcmd.addOutputFile('/b.png')\n"
    )
    (farm.scripts / ".pdg_result_server").write_text(farm.job["PDG_RESULT_SERVER"] + "\n")
    env = {"PDG_RESULT_SERVER": "127.0.0.1:9", "PDG_RPC_RETRIES": "0"}
    assert farm.run(script, env=env) == 0, farm.log.read_text()
    kinds = [said.kind for said in sink.notifications]
    assert kinds == [Kind.STARTED, Kind.OUTPUTS, Kind.OUTPUTS, Kind.SUCCEEDED]


def test_a_job_that_has_no_process_yet_is_nobody_elses() -> None:
    """Session 0 is that of everything that began outside of a container."""
    assert jobwrapper.family(0, f"test-{uuid.uuid4().hex}-1") == []
    assert jobwrapper.family(0, "") == []


def test_a_clock_that_is_set_back_makes_nobody_wait_longer(
    farm: Farm, sink: RecordingSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour each time that somebody looks at it."""
    hours = itertools.count(1e9, -3600)
    ready = farm.folder / "ready"
    script = (
        "import pathlib, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "time.sleep(600)\n"
    )
    job = jobwrapper.Job(farm.spec(script, grace=0.2))
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: next(hours))
        runs = threading.Thread(target=job.run, daemon=True)
        runs.start()
        until(ready.exists, "the job is ready")
        job.cancel("not needed")
        runs.join(DEADLINE)
        assert not runs.is_alive()
    assert not having(farm.token)
    assert [said.kind for said in sink.notifications][-1] is Kind.CANCELED
