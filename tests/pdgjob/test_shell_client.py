"""The bash ``pdgcmd``: the same command line, the same reports, without a Python where it can do without."""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.model.files import File
from topcook.runtime.resultserver import ResultServerThread
from topcook.testkit.sink import RecordingSink

BASH = shutil.which("bash") or ""
pytestmark = pytest.mark.skipif(not BASH, reason="no bash here")

Job = Callable[..., subprocess.CompletedProcess[str]]
NO_PYTHON = {"PDG_PYTHON": "/nowhere/python", "PATH": "/nowhere"}


@pytest.fixture
def shell(run_job: Job, script_dir: Path) -> Job:
    """Run the bash client; ``python=False`` leaves it nothing to fall back on."""

    def run(*words: str, python: bool = True, **changes: str | None) -> subprocess.CompletedProcess[str]:
        return run_job(str(script_dir / "pdgcmd"), *words, python=BASH, **({} if python else NO_PYTHON), **changes)

    return run


def told(sink: RecordingSink) -> list[tuple[Any, ...]]:
    """What the server took, reports and messages."""
    reports = [
        (each.kind, each.item, each.index, each.attempt, each.payload, each.job_id) for each in sink.notifications
    ]
    found = [*reports, *sink.events]
    sink.notifications.clear()
    sink.events.clear()
    return found


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("--start",),
    ("--start", "--sub", "3"),
    ("--success",),
    ("--success", "--duration", "2.50", "--quiet"),
    ("--success", "--sub", "0", "--duration", "3"),
    ("--fail",),
    ("--cancel",),
    ("addOutputFile", "/x/a b.png", "--tag", "file/image", "--hash", "-4"),
    ("addOutputFile", "/a", "--sub", "2", "--and-success", "--duration", "0.1250"),
    ("setIntAttrib", "n", "-4", "--index", "2"),
    ("setFloatAttrib", "n", "1.50"),
    ("setFloatAttrib", "n", "7"),
    ("setStringAttrib", "n", "--", "--x"),
    ("setFileAttrib", "f", "/a/b", "--sub", "1"),
    ("setCookPercent", "0.25"),
    ("setCustomState", "baking"),
    ("appendLog", "words", "--type", "1"),
    ("warning", "hot"),
    ("keepalive",),
    ("invalidateCache",),
    ("--success", "--item", "batch_9"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_reports_and_prints_what_the_python_client_does(
    words: tuple[str, ...], shell: Job, run_job: Job, script_dir: Path, sink: RecordingSink
) -> None:
    done = shell(*words, python=False, PDG_JOBID="farm.4")
    by_shell = told(sink)
    other = run_job("-I", "-S", str(script_dir / "pdgcmd.py"), *words, PDG_JOBID="farm.4")
    assert by_shell
    assert by_shell == told(sink)
    assert (done.returncode, done.stdout, done.stderr) == (0, other.stdout, other.stderr)


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12))
def test_any_text_arrives(text: str, shell: Job, sink: RecordingSink) -> None:
    sink.notifications.clear()
    done = shell("setCustomState", "--", text, python=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [each.payload for each in sink.notifications] == [(text,)]


def test_every_control_character_quote_and_ampersand_arrives(shell: Job, sink: RecordingSink) -> None:
    text = "".join(map(chr, range(1, 128))) + "\\\\n & && \\& \"'$(true)`true`%s☃𝄞"
    assert shell("setStringAttrib", text, "--", text, python=False).returncode == 0
    name, _, value, _ = sink.notifications[0].payload
    assert name == value == text


def test_a_name_that_is_no_text_arrives(shell: Job, sink: RecordingSink) -> None:
    assert shell("addOutputFile", os.fsdecode(b"/a/\xff.png")).returncode == 0
    assert sink.notifications[0].payload == (File("/a/\udcff.png"),)


def test_a_path_below_the_working_directory_travels_as_the_python_client_has_it(
    shell: Job, sink: RecordingSink, tmp_path: Path
) -> None:
    for path in (f"{tmp_path}/a.png", str(tmp_path), f"{tmp_path}x/a.png"):
        assert shell("addOutputFile", path, python=False, PDG_DIR=f"{tmp_path}/").returncode == 0
    made = [each.payload[0].path for each in sink.notifications]
    assert made == ["__PDG_DIR__/a.png", "__PDG_DIR__", f"{tmp_path}x/a.png"]
    shell("addOutputFile", f"{tmp_path}/a.png", python=False, PDG_DELOCALIZE="0")
    assert sink.notifications[-1].payload[0].path == f"{tmp_path}/a.png"


@pytest.mark.parametrize(
    "words",
    [
        ("addOutputFile", "/a", "/b"),
        ("setFloatAttribArray", "n", "1", "2.5"),
        ("setIntAttrib", "n", "1_000"),
        ("setFloatAttrib", "n", "1e-7"),
        ("getWorkItemJSON",),
        ("--help",),
        (),
        ("--nonsense",),
        ("--fail", "--sub", "3"),
        ("--success", "--sub"),
        ("setIntAttrib", "n", "four"),
    ],
    ids=" ".join,
)
def test_what_it_does_not_know_is_left_to_python(
    words: tuple[str, ...], shell: Job, run_job: Job, script_dir: Path, sink: RecordingSink
) -> None:
    sink.answers = {"get_workitem_json": '{"version": 7}'}
    done = shell(*words)
    by_shell = told(sink)
    other = run_job("-I", "-S", str(script_dir / "pdgcmd.py"), *words)
    assert by_shell == told(sink)
    assert (done.returncode, done.stdout, done.stderr) == (other.returncode, other.stdout, other.stderr)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PDG_PATHMAP", '{"paths": []}'),
        ("PDG_PATHMAP_ZONE", "MAC"),
        ("PDG_VERBOSE", "1"),
        ("PDG_DISABLE_RPC", "1"),
        ("PDG_RPC_DELEGATE", "nothing"),
        ("PDG_RESULT_SERVER", None),
        ("PDG_RESULT_SERVER", "nowhere"),
        ("PDG_RPC_TIMEOUT", "soon"),
    ],
)
def test_surroundings_that_only_python_minds_are_left_to_it(name: str, value: str | None, shell: Job) -> None:
    # The one that cannot be found says so: bash has not gone on by itself.
    assert shell("--success", python=False, **{name: value}).returncode in {126, 127}


def test_a_refusal_is_told_and_ends_badly(shell: Job, sink: RecordingSink) -> None:
    sink.unknown = {7}
    done = shell("--success", python=False)
    assert done.returncode == 1
    assert done.stderr.startswith("pdgcmd: --success: ")
    assert "unknown work item 7" in done.stderr
    forgiven = shell("--success", python=False, PDG_RPC_IGNORE_ERRORS="1")
    assert (forgiven.returncode, forgiven.stderr) == (0, done.stderr.replace("--success", "success", 1))


def test_a_wrong_secret_is_refused(shell: Job, sink: RecordingSink) -> None:
    done = shell("--success", PDG_RESULT_SECRET="guess")
    assert done.returncode == 1
    assert "the secret is wrong" in done.stderr
    assert sink.notifications == []


def test_the_secret_is_found_beside_it(shell: Job, script_dir: Path, sink: RecordingSink) -> None:
    (script_dir / ".pdg_result_secret").write_text("sesame")
    done = shell("--success", python=False, PDG_RESULT_SECRET=None, PDG_SCRIPTDIR=None)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(sink.notifications) == 1


def test_a_dead_server_is_tried_again_and_told_by_python(
    shell: Job, server: ResultServerThread, script_dir: Path
) -> None:
    server.stop()
    done = shell("--success")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    # Printed by one of the two only.
    assert done.stdout == "PDG_SUCCESS: 7;-1;0.0\n"


def test_a_server_that_hangs_up_rudely_is_left_to_python_without_a_word_of_bash(
    shell: Job,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as rude:

        def reset() -> None:
            connection = rude.accept()[0]
            # Closed with something unread, and at once.
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

        thread = threading.Thread(target=reset)
        thread.start()
        done = shell("--success", python=False, PDG_RESULT_SERVER=f"127.0.0.1:{rude.getsockname()[1]}")
        thread.join(60)
    assert done.returncode in {126, 127}
    assert "reset" not in done.stderr


def test_what_is_told_after_something_that_could_not_be_goes_after_it(
    shell: Job, sink: RecordingSink, tmp_path: Path
) -> None:
    """The server was away for the first report, and is back: told directly, the second would be undone by the first."""
    spool = tmp_path / "job.reports"
    kept = '["set_int_attrib",2,7,-1,"n",1,0,""]\n'
    spool.write_text(kept)
    done = shell("setIntAttrib", "n", "2", PDG_REPORT_SPOOL=str(spool))
    assert done.returncode == 0
    assert sink.notifications == []
    first, second = spool.read_text().splitlines(keepends=True)
    assert first == kept
    assert json.loads(second)[3:6] == [-1, "n", 2]


def test_a_job_that_has_kept_nothing_reports_at_once(shell: Job, sink: RecordingSink, tmp_path: Path) -> None:
    done = shell("setIntAttrib", "n", "2", python=False, PDG_REPORT_SPOOL=str(tmp_path / "job.reports"))
    assert (done.returncode, done.stderr) == (0, "")
    assert len(sink.notifications) == 1


def test_a_server_that_hangs_up_is_asked_again(shell: Job, server: ResultServerThread, sink: RecordingSink) -> None:
    with socket.create_server(("127.0.0.1", 0)) as between:
        host, port = server.address.split(":")

        def hang_up_once_then_pass_on() -> None:
            between.accept()[0].close()
            there, here = socket.create_connection((host, int(port))), between.accept()[0]
            with there, here:
                there.sendall(here.recv(65536))
                here.sendall(there.recv(65536))

        thread = threading.Thread(target=hang_up_once_then_pass_on)
        thread.start()
        done = shell("--success", PDG_RESULT_SERVER=f"127.0.0.1:{between.getsockname()[1]}")
        thread.join(60)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(sink.notifications) == 1


def test_a_host_by_name_is_reached_and_nothing_is_left_behind(
    shell: Job, server: ResultServerThread, sink: RecordingSink
) -> None:
    try:
        socket.create_connection((socket.gethostname(), int(server.address.split(":")[1])), 5).close()
    except OSError:
        pytest.skip("this machine's name does not lead to its loopback")
    address = f"{socket.gethostname()}:{server.address.split(':')[1]}"
    # run() waits until nobody holds the output any more: a watcher left behind would.
    done = shell("--success", PDG_RESULT_SERVER=address, PDG_RPC_TIMEOUT="50")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(sink.notifications) == 1
