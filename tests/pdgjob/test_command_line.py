"""pdgcmd.py as a farm's job starts it: a file in the script directory, run by a bare interpreter."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from topcook.model.attributes import AttribType
from topcook.model.files import File
from topcook.model.notification import Kind
from topcook.runtime.resultserver import ResultServerThread
from topcook.testkit.sink import RecordingSink

Run = Callable[..., subprocess.CompletedProcess[str]]

#: The Pythons of this machine; where a version manager answers for one that it does not have, it says so by its status.
PYTHONS = [sys.executable] + [
    path
    for minor in (6, 7, 8, 9, 10, 12, 13)
    if (path := shutil.which(f"python3.{minor}")) and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0
]  # fmt: skip


def said(sink: RecordingSink) -> list[tuple[Kind, int | str, tuple[Any, ...]]]:
    return [(each.kind, each.item, each.payload) for each in sink.notifications]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("words", "kind", "payload"),
    [
        (["--start"], Kind.STARTED, ()),
        (["--success", "--duration", "2.5"], Kind.SUCCEEDED, (2.5,)),
        (["--fail"], Kind.FAILED, ()),
        (["--cancel"], Kind.CANCELED, ()),
        (["addOutputFile", "/x/a b.png", "--tag", "t", "--hash", "4"], Kind.OUTPUTS, (File("/x/a b.png", "t", 4),)),
        (["addOutputFile", "/a", "/b"], Kind.OUTPUTS, (File("/a"), File("/b"))),
        (["setIntAttrib", "n", "4", "--index", "2"], Kind.ATTRIBUTE, ("n", AttribType.Int, 4, 2)),
        (["setStringAttrib", "n", "--", "--x"], Kind.ATTRIBUTE, ("n", AttribType.String, "--x", 0)),
        (["setFloatAttribArray", "n", "1", "2.5"], Kind.ATTRIBUTE, ("n", AttribType.Float, [1.0, 2.5], None)),
        (["setCookPercent", "0.25"], Kind.PERCENT, (0.25,)),
        (["setCustomState", "baking"], Kind.CUSTOM_STATE, ("baking",)),
        (["appendLog", "words", "--type", "1"], Kind.LOG, ("words", 1)),
        (["invalidateCache"], Kind.INVALIDATE_CACHE, ()),
    ],
)
def test_a_command_reports(
    words: list[str], kind: Kind, payload: Any, python: str, run_job: Run, script_dir: Path, sink: RecordingSink
) -> None:
    done = run_job("-I", "-S", str(script_dir / "pdgcmd.py"), *words, python=python)
    assert (done.returncode, done.stderr) == (0, "")
    assert said(sink) == [(kind, 7, payload)]
    assert sink.notifications[0].attempt == 2


def test_the_item_the_sub_item_and_silence_can_be_asked_for(
    run_job: Run, script_dir: Path, sink: RecordingSink
) -> None:
    done = run_job(str(script_dir / "pdgcmd.py"), "--success", "--item", "batch_9", "--sub", "3", "--quiet")
    assert done.stdout == ""
    assert [(each.item, each.index, each.attempt) for each in sink.notifications] == [("batch_9", 3, None)]


def test_the_data_of_an_item_is_printed(run_job: Run, script_dir: Path, sink: RecordingSink) -> None:
    sink.answers = {"get_workitem_json": '{"version": 7}'}
    assert run_job("-I", str(script_dir / "pdgcmd.py"), "getWorkItemJSON").stdout == '{"version": 7}\n'


def test_without_a_server_it_ends_well(run_job: Run, script_dir: Path) -> None:
    done = run_job("-I", "-S", str(script_dir / "pdgcmd.py"), "--success", PDG_RESULT_SERVER=None)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_refusal_is_told_and_ends_badly(run_job: Run, script_dir: Path, sink: RecordingSink) -> None:
    sink.unknown = {7}
    done = run_job("-I", "-S", str(script_dir / "pdgcmd.py"), "--success")
    assert done.returncode == 1
    assert "unknown work item 7" in done.stderr


def test_a_dead_server_is_told_and_ends_badly(run_job: Run, script_dir: Path, server: ResultServerThread) -> None:
    server.stop()
    done = run_job("-I", "-S", str(script_dir / "pdgcmd.py"), "--success")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "usage"),
        (["--nonsense"], 'no command "--nonsense"'),
        (["--success", "--nonsense"], 'no option "--nonsense"'),
        (["--success", "extra"], "takes 0 arguments, got 1"),
        (["addOutputFile"], "at least 1"),
        (["setIntAttrib", "n"], "takes 2 arguments"),
        (["--success", "--sub"], "needs a value"),
        (["--success", "--sub", "x"], "no number"),
        (["--fail", "--tag", "x"], "does not take"),
    ],
)
def test_a_mistake_in_the_command_line_is_told(
    words: list[str], complaint: str, run_job: Run, script_dir: Path, sink: RecordingSink
) -> None:
    done = run_job("-I", "-S", str(script_dir / "pdgcmd.py"), *words)
    assert done.returncode == 2
    assert complaint in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert sink.notifications == []


def test_a_value_that_is_no_number_ends_badly(run_job: Run, script_dir: Path) -> None:
    done = run_job("-I", "-S", str(script_dir / "pdgcmd.py"), "setIntAttrib", "n", "four")
    assert done.returncode == 1
    assert "four" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_command(run_job: Run, script_dir: Path) -> None:
    from pdgjob._cli import COMMANDS, OPTIONS, SWITCHES

    text = run_job("-I", "-S", str(script_dir / "pdgcmd.py"), "--help").stdout
    bare = text.replace("Array", "")
    for word in [*COMMANDS, *OPTIONS, *SWITCHES]:
        assert word.replace("Array", "") in bare


def test_the_secret_is_found_in_the_script_directory(run_job: Run, script_dir: Path, sink: RecordingSink) -> None:
    (script_dir / ".pdg_result_secret").write_text("sesame\n")
    for script in (script_dir / "pdgcmd.py", script_dir / "pdgjob" / "pdgcmd.py"):
        done = run_job("-I", "-S", str(script), "--success", PDG_RESULT_SECRET=None, PDG_SCRIPTDIR=None)
        assert (done.returncode, done.stderr) == (0, "")
    assert len(sink.notifications) == 2


def test_without_the_secret_a_job_is_refused(
    run_job: Run, script_dir: Path, server: ResultServerThread, sink: RecordingSink
) -> None:
    done = run_job("-I", str(script_dir / "pdgcmd.py"), "--success", PDG_RESULT_SECRET=None)
    assert done.returncode == 1
    assert "403" in done.stderr
    assert sink.notifications == []
    assert server.counters.refused == 1


def test_a_script_imports_pdgcmd_by_name_beside_somebody_elses_pdgjob(
    run_job: Run, script_dir: Path, sink: RecordingSink, tmp_path: Path
) -> None:
    foreign = tmp_path / "foreign" / "pdgjob"
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").write_text("")
    code = "import pdgjob, pdgcmd, pdgjson; pdgcmd.addOutputFile('/a'); pdgcmd.setIntAttrib('n', 1)"
    done = run_job("-c", code, PYTHONPATH=f"{foreign.parent}:{script_dir}")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(sink.notifications) == 2


def test_a_closed_output_does_not_fail_the_job(run_job: Run, script_dir: Path, sink: RecordingSink) -> None:
    code = "import sys; sys.stdout.close(); import pdgcmd; pdgcmd.addOutputFile('/a')"
    done = run_job("-c", code, PYTHONPATH=str(script_dir))
    assert done.returncode in {0, 120}
    assert len(sink.notifications) == 1


def test_a_file_name_that_is_no_text_arrives(run_job: Run, script_dir: Path, sink: RecordingSink) -> None:
    code = "import pdgcmd; pdgcmd.addOutputFile(b'/a/\\xff.png')"
    done = run_job("-c", code, PYTHONPATH=str(script_dir))
    assert (done.returncode, done.stderr) == (0, "")
    assert sink.notifications[0].payload == (File("/a/\udcff.png"),)


def test_a_report_loads_little(run_job: Run, script_dir: Path) -> None:
    run_job("-I", "-S", str(script_dir / "pdgcmd.py"), "--success")
    listed = run_job("-I", "-S", "-X", "importtime", str(script_dir / "pdgcmd.py"), "addOutputFile", "/a").stderr
    loaded = {line.rpartition("|")[2].strip() for line in listed.splitlines()}
    assert "pdgjob._link" in loaded
    assert loaded.isdisjoint({"json", "socket", "re", "enum", "typing", "xmlrpc", "argparse", "encodings.idna", "ast"})
