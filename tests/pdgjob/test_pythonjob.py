"""An in-process item's Python on a worker that stays: several at once in one process, each with what is its own."""

from __future__ import annotations

import json
import linecache
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pdgjob import pythonjob
from tests.parsing import parsed_meanwhile
from tests.waiting import until
from topcook.model.notification import Kind
from topcook.testkit.sink import RecordingSink

DEADLINE = 60.0


class Bench:
    """Items of one cook, as a worker gets them."""

    def __init__(self, folder: Path, scripts: Path, job: dict[str, str]) -> None:
        self.folder, self.scripts, self.job = folder, scripts, job

    def spec(self, text: str, item: int = 7, **python: Any) -> dict[str, Any]:
        name = f"render_{item}"
        data = {"version": 7, "workitem": {"id": item, "name": name, "index": item, "attributes": {}}}
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "data" / f"{name}.json").write_text(json.dumps(data))
        return {
            "token": f"test-{item}-2",
            "item": item,
            "attempt": 2,
            "env": {**self.job, "PDG_ITEM_NAME": name, "PDG_ITEM_ID": str(item), "PDG_TEMP": str(self.folder)},
            "log": str(self.folder / "logs" / f"{name}.log"),
            "ends": str(self.folder / "ends"),
            "scripts": str(self.scripts),
            "grace": 0.2,
            "patience": 30.0,
            "python": {"text": text, "path": "/show/net.toml", "line": 40, "node": "render", **python},
        }

    def run(self, text: str, item: int = 7, **python: Any) -> pythonjob.PythonJob:
        job = pythonjob.PythonJob(self.spec(text, item, **python))
        job.run()
        return job

    def start(self, text: str, item: int = 7) -> tuple[pythonjob.PythonJob, threading.Thread]:
        job = pythonjob.PythonJob(self.spec(text, item))
        thread = threading.Thread(target=job.run, daemon=True)
        thread.start()
        return job, thread

    def log(self, item: int = 7) -> str:
        return (self.folder / "logs" / f"render_{item}.log").read_text()


@pytest.fixture
def bench(tmp_path: Path, script_dir: Path, job: dict[str, str]) -> Bench:
    return Bench(tmp_path, script_dir, job)


def kinds(sink: RecordingSink, item: int = 7) -> list[Kind]:
    return [said.kind for said in sink.notifications if said.item == item]


def test_what_the_script_says_of_its_item_is_told_before_its_end(bench: Bench, sink: RecordingSink) -> None:
    job = bench.run(
        "work_item.setIntAttrib('square', work_item.index ** 2)\n"
        "values = [1.5, 2.5]\n"
        "work_item.setFloatAttrib('sizes', values)\n"
        "values.clear()\n"
        "work_item.addOutputFile('/show/a.exr', 'file/image')\n"
    )
    assert (job.state, job.reason, job.exit) == ("succeeded", "", 0)
    assert kinds(sink) == [Kind.STARTED, Kind.ATTRIBUTE, Kind.ATTRIBUTE, Kind.OUTPUTS, Kind.SUCCEEDED]
    assert {said.attempt for said in sink.notifications} == {2}
    payloads = {said.payload[0]: said.payload[2] for said in sink.notifications if said.kind is Kind.ATTRIBUTE}
    assert payloads == {"square": 49, "sizes": [1.5, 2.5]}
    assert not list((bench.folder / "ends").iterdir())


def test_progress_is_told_while_it_runs(bench: Bench, sink: RecordingSink) -> None:
    gate = bench.folder / "gate"
    job, thread = bench.start(
        f"import os, time\nwork_item.setCookPercent(0.5)\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\n"
    )
    until(lambda: Kind.PERCENT in kinds(sink), "it is half done")
    assert not job.state
    gate.touch()
    thread.join(DEADLINE)
    assert job.state == "succeeded"


@pytest.mark.parametrize("code", ["raise SystemExit", "import sys; sys.exit(0)", ""])
def test_a_script_that_ends_itself_well_has_succeeded(bench: Bench, code: str) -> None:
    assert bench.run(code).state == "succeeded"


def test_a_script_that_fails_shows_its_own_lines(bench: Bench, sink: RecordingSink) -> None:
    job = bench.run("def deep():\n    raise ValueError('no such frame')\n\ndeep()\n")
    assert (job.state, job.reason, job.exit) == ("failed", "ValueError: no such frame", 1)
    assert '  File "/show/net.toml", line 43, in <module>\n    deep()\n' in bench.log()
    assert "line 41, in deep\n    raise ValueError('no such frame')\n" in bench.log()
    assert "pythonjob.py" not in bench.log()
    assert Kind.LOG not in kinds(sink), "the cook would write it into the same log again"


def test_a_traceback_that_the_log_does_not_take_is_told(bench: Bench, sink: RecordingSink) -> None:
    spec = bench.spec("raise ValueError('no such frame')")
    (bench.folder / "file").write_text("")
    spec["log"] = str(bench.folder / "file" / "render_7.log")
    pythonjob.PythonJob(spec).run()
    (told,) = [said.payload[0] for said in sink.notifications if said.kind is Kind.LOG]
    assert "line 40, in <module>\n" in told
    assert "ValueError: no such frame" in told


def test_scripts_of_one_network_file_are_quoted_each_by_its_own_lines(bench: Bench) -> None:
    bench.run("first()", 1, line=4)
    bench.run("second()", 2, line=90)
    assert "line 4, in <module>\n    first()" in bench.log(1)
    assert "line 90, in <module>\n    second()" in bench.log(2)
    assert linecache.getline("/show/net.toml", 4).strip() == "first()"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("x = (", "SyntaxError: '(' was never closed (net.toml, line 40)"),
        ("class E(Exception):\n    def __str__(self): raise OSError\nraise E", "E (its text cannot be read)"),
        ("work_item.setFloatAttrib('x', float('nan'))", "ValueError: a report cannot carry nan"),
        ("work_item.setStringAttrib('x', 'y' * (16 << 20))", "ValueError: set_string_attrib: 16 MiB are more than"),
        ("raise RuntimeError('x' * 10**6)", "RuntimeError: xxx"),
    ],
)
def test_what_went_wrong_is_told_in_words(bench: Bench, code: str, reason: str) -> None:
    job = bench.run(code)
    assert job.state == "failed"
    assert job.reason.startswith(reason)
    assert len(job.reason) < 3000


def test_what_is_no_plain_value_travels_as_its_text(bench: Bench, sink: RecordingSink) -> None:
    job = bench.run("import threading\nwork_item.setPyObjectAttrib('lock', threading.Lock())\n")
    assert job.state == "succeeded", job.reason
    (said,) = [said for said in sink.notifications if said.kind is Kind.ATTRIBUTE]
    assert str(said.payload[2]).startswith("<unlocked _thread.lock")


def test_items_at_the_same_time_have_their_own_data_and_their_own_output(bench: Bench, sink: RecordingSink) -> None:
    text = (
        "import os, time, pdgcmd\n"
        f"open(os.path.join({str(bench.folder)!r}, 'here_%d' % work_item.index), 'w').close()\n"
        f"while len([n for n in os.listdir({str(bench.folder)!r}) if n.startswith('here_')]) < 8: time.sleep(0.01)\n"
        "print('said by', work_item.index)\n"
        "pdgcmd.setIntAttrib('mine', work_item.index)\n"
    )
    environment = dict(os.environ)
    before = sys.stdout
    started = [bench.start(text, item) for item in range(8)]
    for _, thread in started:
        thread.join(DEADLINE)
    for item, (job, _) in enumerate(started):
        assert job.state == "succeeded", job.reason
        assert [line for line in bench.log(item).splitlines() if "said" in line] == [f"said by {item}"]
    told = {said.item: said.payload[2] for said in sink.notifications if said.kind is Kind.ATTRIBUTE}
    assert told == {item: item for item in range(8)}
    assert (dict(os.environ), sys.stdout) == (environment, before)
    assert not [name for name in sys.modules if name == "pdgcmd"]


@pytest.mark.parametrize("body", [False, True])
def test_an_item_runs_although_another_one_is_read_meanwhile(bench: Bench, body: bool) -> None:
    with parsed_meanwhile():
        job = bench.run("work_item.setPyObjectAttrib('made', {'one': [1, 2]})", body=body)
    assert (job.state, job.reason) == ("succeeded", "")


def test_the_node_s_parms_and_the_body_of_a_function_are_there(bench: Bench, sink: RecordingSink) -> None:
    parms = {"size": 4, "name": "high", "on": "off", "pair": [1, 2]}
    text = (
        "if not self['on'].evaluateBool():\n"
        "    work_item.setStringAttrib('said', self['name'].evaluateString() * self['size'].evaluateInt())\n"
        "    assert self.parameter('nothing') is None and self['pair'].evaluate() == [1, 2] and self.name == 'render'\n"
        "    return\n"
        "raise AssertionError\n"
    )
    job = bench.run(text, parms=parms, body=True)
    assert job.state == "succeeded", bench.log()
    (said,) = [said for said in sink.notifications if said.kind is Kind.ATTRIBUTE]
    assert said.payload[2] == "high" * 4
    assert bench.run("return False", body=True).reason == 'RuntimeError: the Python of node "render" answered failure'


@pytest.mark.parametrize("code", ["work_item.node", "self.workItems"])
def test_what_only_the_cook_has_is_refused_with_what_to_type(bench: Bench, code: str) -> None:
    job = bench.run(code, here="cook it here")
    assert job.reason.startswith("AttributeError: ")
    assert job.reason.endswith(f'"{code.partition(".")[2]}"\n    cook it here')


def test_a_script_that_names_pdg_gets_it_where_it_is_installed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.run("assert pdg.workItemState.CookedSuccess").state == "succeeded"
    monkeypatch.setitem(sys.modules, "pdg", None)
    reason = bench.run("pdg.File", here="cook it here").reason
    assert reason.startswith('ImportError: it uses "pdg", which is not installed on ')
    assert reason.endswith("\n    cook it here")


def test_python_that_runs_is_ended_when_it_is_canceled(bench: Bench, sink: RecordingSink) -> None:
    began = bench.folder / "began"
    job, thread = bench.start(f"import time\nopen({str(began)!r}, 'w').close()\nwhile True: time.sleep(0.01)\n")
    until(began.exists, "it runs")
    job.cancel("somebody canceled it")
    thread.join(DEADLINE)
    assert not thread.is_alive()
    assert (job.state, job.reason) == ("canceled", "somebody canceled it")
    assert kinds(sink)[-1] is Kind.CANCELED


def test_python_that_has_caught_its_end_is_told_again(bench: Bench) -> None:
    began = bench.folder / "began"
    spec = bench.spec(
        f"import time\nopen({str(began)!r}, 'w').close()\n"
        "try:\n    while True: time.sleep(0.01)\nexcept BaseException: pass\nwhile True: time.sleep(0.01)\n"
    )
    spec["grace"] = 60.0
    job = pythonjob.PythonJob(spec)
    thread = threading.Thread(target=job.run, daemon=True)
    thread.start()
    until(began.exists, "it runs")
    job.cancel("canceled")
    thread.join(DEADLINE)
    assert not thread.is_alive()


def test_a_call_that_waits_is_told_as_canceled_and_goes_on(bench: Bench, sink: RecordingSink) -> None:
    read, write = os.pipe()
    began = bench.folder / "began"
    job, thread = bench.start(f"import os\nopen({str(began)!r}, 'w').close()\nos.read({read}, 1)\n")
    until(began.exists, "it runs")
    job.cancel("canceled")
    until(lambda: Kind.CANCELED in kinds(sink), "it is told")
    assert thread.is_alive()
    assert "cannot be interrupted, and goes on in process" in job.reason
    os.write(write, b"x")
    thread.join(DEADLINE)
    assert not thread.is_alive()
    os.close(read)
    os.close(write)


def test_one_that_was_canceled_before_it_began_runs_nothing(bench: Bench, sink: RecordingSink) -> None:
    job = pythonjob.PythonJob(bench.spec("open('/nonexistent/x')"))
    job.cancel("canceled")
    job.run()
    assert (job.state, kinds(sink)) == ("canceled", [Kind.CANCELED])


def test_what_nobody_heard_is_on_disk_with_the_end(bench: Bench) -> None:
    spec = bench.spec("work_item.setIntAttrib('square', 49)")
    spec["patience"] = 0.0
    spec["env"]["PDG_RESULT_SERVER"] = "127.0.0.1:9"
    pythonjob.PythonJob(spec).run()
    ends = bench.folder / "ends"
    assert json.loads((ends / "test-7-2.json").read_text())["state"] == "succeeded"
    (line,) = (ends / "test-7-2.reports").read_text().splitlines()
    assert json.loads(line)[:3] == ["set_int_attrib", 2, 7]


def test_reports_go_the_way_that_the_worker_has_for_them(bench: Bench) -> None:
    said: list[Any] = []
    spec = bench.spec("work_item.setIntAttrib('square', 49)")
    cook = pythonjob.jobwrapper.Cook(spec)
    way: Callable[[list[Any]], None] = said.append
    cook.records = False
    cook.where, cook.call = (lambda: ("way", "")), way  # type: ignore[method-assign]
    pythonjob.PythonJob(spec, None, cook).run()
    assert [words[0] for words in said] == ["start_cook", "set_int_attrib", "ended"]


def test_a_worker_is_as_fast_afterwards_as_before(bench: Bench) -> None:
    """Asked to raise nothing in a thread, Python 3.11 looks for it for ever, and never gets on where it is profiled."""
    program = bench.folder / "worker.py"
    specs = [bench.spec("work_item.setIntAttrib('x', 1)", item) for item in range(3)]
    program.write_text(
        f"import sys, json; sys.path[:0] = [{str(bench.scripts)!r}]\n"
        "import pythonjob\n"
        "sys.setprofile(lambda *event: None)\n"
        f"for spec in json.loads({json.dumps(specs)!r}):\n"
        "    job = pythonjob.PythonJob(spec)\n"
        "    job.run()\n"
        "    assert job.state == 'succeeded', job.reason\n"
    )
    subprocess.run([sys.executable, program], check=True, timeout=DEADLINE)
