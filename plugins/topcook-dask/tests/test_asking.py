"""What batch systems answer when they are asked for jobs, read: Grid Engine's and Slurm's as they gave it, others' as documented."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.testkit.waiting import running, until
from topcook_dask import asking
from topcook_dask.asking import ENGINES, Output, ask

SGE = """\
==============================================================
job_number:                 2
exec_file:                  job_scripts/2
job_name:                   job.sh
hard_queue_list:            down
scheduling info:            queue instance "down@localhost" dropped because it is disabled
                            cannot run in queue "farm" because it is not contained in its hard queue list (-q)
==============================================================
job_number:                 4
error reason          1:      11/22/2026 10:22:46 [0:1991]: error: can't chdir to /show: No such file or directory
scheduling info:            Job is in error state
==============================================================
job_number:                 5
usage         1:            cpu=00:00:00, mem=0.00000 GB s, io=0.00000 GB, vmem=N/A, maxvmem=N/A
scheduling info:            (Collecting of scheduler job information is turned off)
==============================================================
job_number:                 6
scheduling info:            (Collecting of scheduler job information is turned off)
Following jobs do not exist:
99
"""
PBS = """\
Job Id: 2.head.studio.lan
    Job_Name = topcook-farm
    job_state = Q
    comment = Not Running: Not enough of the right type of
\t nodes are available
Job Id: 4.head.studio.lan
    job_state = R
Job Id: 5.head
    job_state = C
    exit_status = 3
"""
PBS_ERR = """\
qstat: Unknown Job Id 98.head.studio.lan
qstat: 99.head.studio.lan Job has finished, use -x or -H to obtain historical job information
"""
LSF = """\
JOBID   USER    STAT  QUEUE      FROM_HOST   EXEC_HOST   JOB_NAME   SUBMIT_TIME
2       ann     PEND  normal     head                    topcook-farm Nov 22 10:00
4       ann     RUN   normal     head        n1          topcook-farm Nov 22 10:00
5       ann     EXIT  normal     head        n1          topcook-farm Nov 22 10:00
"""
CONDOR = """\
2 0 1 undefined
4 0 2 undefined
5 0 5 Error from slot1@n1: Failed to execute '/bin/sh': (errno=2)
6 0 3 undefined
"""
KNOWN = [
    (
        "slurm",
        Output("2 PENDING PartitionDown\n4 RUNNING None\n"),
        {"2": "pending partitiondown", "4": "running none"},
        {"99"},
    ),
    ("slurm", Output("", "slurm_load_jobs error: Invalid job id specified", 1), {}, {"2", "4", "99"}),
    (
        "sge",
        Output(SGE),
        {
            "2": 'waiting: queue instance "down@localhost" dropped because it is disabled',
            "4": "error: can't chdir to /show: No such file or directory",
            "5": "running",
            "6": "waiting",
        },
        {"99"},
    ),
    (
        "pbs",
        Output(PBS, PBS_ERR, 153),
        {"2": "queued: Not Running: Not enough of the right type of nodes are available", "4": "running"},
        {"5", "98", "99"},
    ),
    ("lsf", Output(LSF, "Job <99> is not found\n", 255), {"2": "pend", "4": "run"}, {"5", "99"}),
    (
        "htcondor",
        Output(CONDOR),
        {"2.0": "idle", "4.0": "running", "5.0": "held: Error from slot1@n1: Failed to execute '/bin/sh': (errno=2)"},
        {"6.0", "99.0"},
    ),
]


@pytest.mark.parametrize(("kind", "output", "said", "ended"), KNOWN)
def test_what_is_said_of_jobs_and_which_have_ended_is_read(
    kind: str, output: Output, said: dict[str, str], ended: set[str]
) -> None:
    answer = ENGINES[kind][1](output, sorted(said.keys() | ended))
    assert answer.said == said
    assert answer.ended == ended


@pytest.mark.parametrize(
    ("kind", "err"),
    [
        ("slurm", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"),
        ("sge", 'error: unable to send message to qmaster using port 1 on host "head": got send error'),
        ("pbs", "Connection refused\nqstat: cannot connect to server head (errno=15010)"),
        ("lsf", "Cannot connect to LSF. Please wait ..."),
        ("htcondor", "Error: Can't find address for schedd head"),
    ],
)
def test_a_job_has_not_ended_because_the_engine_is_away(kind: str, err: str) -> None:
    answer = ENGINES[kind][1](Output("", err, 1), ["2", "99"])
    assert not answer.said
    assert not answer.ended


@pytest.mark.parametrize("kind", ["sge", "pbs", "lsf", "htcondor"])
@given(out=st.text(), err=st.text())
def test_any_answer_is_read_and_says_nothing_of_other_jobs(kind: str, out: str, err: str) -> None:
    assert ENGINES[kind][1](Output(out, err, 1), ["2"]).ended <= {"2"}


@pytest.mark.parametrize("kind", ENGINES)
def test_an_engine_whose_programs_are_not_here_says_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert asyncio.run(ask(kind, ["2"])).ended == set()


def test_an_engine_that_does_not_answer_is_not_waited_for_and_its_program_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    """The cluster could not be ended meanwhile."""
    program = tmp_path / "qstat"
    program.write_text(f"#!/bin/sh\nexec sleep {mark}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(asking, "_ANSWER", 2.0)
    assert asyncio.run(ask("sge", ["2"])).ended == set()
    with pytest.raises(RuntimeError, match="qstat: timed out after 2 s"):
        asyncio.run(asking.call(["qstat"]))
    until(lambda: not running(mark), "it has ended")
