"""What Slurm says of jobs, in the words of the oldest and of newer versions, means the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.author.farm import FarmPhase, FarmState
from topcook_slurm.commands import Slurm
from topcook_slurm.ids import condensed, expanded, numbers_of, ranges
from topcook_slurm.reasons import Waiting, explained
from topcook_slurm.states import NoAnswerError, SlurmJob, from_accounting, from_queue, never_began, state_of


def number(value: int | None) -> dict[str, Any]:
    return {"set": value is not None, "infinite": False, "number": value or 0}


def old(job: int, state: str, *, array: int = 0, task: int | None = None, tasks: str = "", code: int = 0) -> Any:
    """As 22.05 says it."""
    return {
        "job_id": job,
        "array_job_id": array,
        "array_task_id": task,
        "array_task_string": tasks,
        "job_state": state,
        "state_reason": "None",
        "exit_code": code,
        "nodes": "n1",
        "comment": "topcook",
    }


def new(job: int, state: str, *, array: int = 0, task: int | None = None, tasks: str = "", code: int = 0) -> Any:
    """As 23.11 and later say it."""
    ended = {"id": number(code & 127 or None), "name": ""}
    return {
        **old(job, state, tasks=tasks),
        "job_id": job,
        "job_state": [state],
        "array_job_id": number(array),
        "array_task_id": number(task),
        "exit_code": {"status": ["SUCCESS"], "return_code": number(code >> 8), "signal": ended},
    }


def between(job: int, state: str, *, array: int = 0, task: int | None = None, tasks: str = "", code: int = 0) -> Any:
    """As 23.02 says it: the exit code is an object of bare numbers."""
    ended = {"signal_id": code & 127, "name": ""}
    return {
        **new(job, state, array=array, task=task, tasks=tasks),
        "job_state": state,
        "exit_code": {"status": "SUCCESS", "return_code": code >> 8, "signal": ended},
    }


@pytest.mark.parametrize("shape", [old, between, new])
def test_jobs_arrays_and_exit_codes_are_read_in_every_shape(shape: Any) -> None:
    said = [
        shape(4, "COMPLETED"),
        shape(12, "FAILED", array=5, task=0, code=3 << 8),
        shape(13, "FAILED", array=5, task=1, code=9),
        # A shell says so of a command that was killed.
        shape(14, "FAILED", array=5, task=8, code=137 << 8),
        shape(5, "PENDING", array=5, tasks="2-3,7%4"),
    ]
    jobs = {job.id: job for job in from_queue(json.dumps({"jobs": said}))}
    assert set(jobs) == {"4", "5_0", "5_1", "5_2", "5_3", "5_7", "5_8"}
    assert state_of(jobs["4"]) == FarmState(FarmPhase.SUCCEEDED, "", 0)
    assert state_of(jobs["5_0"]) == FarmState(FarmPhase.FAILED, "exit status 3", 3)
    assert state_of(jobs["5_1"]) == FarmState(FarmPhase.FAILED, "ended by signal 9 (SIGKILL)", -9)
    assert state_of(jobs["5_8"]) == FarmState(FarmPhase.FAILED, "ended by signal 9 (SIGKILL)", 137)
    assert state_of(jobs["5_7"]) == FarmState(FarmPhase.QUEUED)


#: What 24.05 and later say of a job: flags stand beside its state, names beside numbers.
LATER = """
{"meta": {"slurm": {"version": {"major": "24", "micro": "4", "minor": "05"}, "release": "24.05.4"}},
 "warnings": [], "errors": [],
 "last_update": {"set": true, "infinite": false, "number": 1732000000},
 "jobs": [
 {"job_id": 41, "array_job_id": {"set": true, "infinite": false, "number": 40},
  "array_task_id": {"set": true, "infinite": false, "number": 3}, "array_task_string": "",
  "comment": "topcook cook=c node=n items=a..b jobs=n.1", "nodes": "n1",
  "job_state": ["FAILED"], "state_reason": "RaisedSignal:9(Killed)", "flags": ["ACCRUE_COUNT_CLEARED"],
  "derived_exit_code": {"status": ["SUCCESS"], "return_code": {"set": true, "infinite": false, "number": 0},
                        "signal": {"id": {"set": false, "infinite": false, "number": 0}, "name": ""}},
  "exit_code": {"status": ["SIGNALED"], "return_code": {"set": false, "infinite": false, "number": 0},
                "signal": {"id": {"set": true, "infinite": false, "number": 9}, "name": "KILL"}},
  "time_limit": {"set": true, "infinite": true, "number": 0}, "memory_per_node": {"set": true, "infinite": false, "number": 0}},
 {"job_id": 40, "array_job_id": {"set": true, "infinite": false, "number": 40},
  "array_task_id": {"set": false, "infinite": false, "number": 0}, "array_task_string": "4-5%1",
  "comment": "topcook cook=c node=n items=a..b jobs=n.1", "nodes": "",
  "job_state": ["PENDING"], "state_reason": "JobArrayTaskLimit", "exit_code": {"status": ["SUCCESS"],
  "return_code": {"set": true, "infinite": false, "number": 0}, "signal": {"id": {"set": false}, "name": ""}}},
 {"job_id": 42, "array_job_id": {"set": true, "infinite": false, "number": 0},
  "array_task_id": {"set": false, "infinite": false, "number": 0}, "array_task_string": "", "comment": "", "nodes": "n2",
  "job_state": ["RUNNING", "COMPLETING"], "state_reason": "None", "exit_code": {}},
 {"job_id": 43, "array_job_id": {"set": true, "infinite": false, "number": 0},
  "array_task_id": {"set": false}, "job_state": ["OUT_OF_MEMORY"], "state_reason": "OutOfMemory", "nodes": "n2",
  "exit_code": {"status": ["CORE_DUMPED"], "return_code": {"set": true, "infinite": false, "number": 0},
                "signal": {"id": {"set": true, "infinite": false, "number": 125}, "name": "125"}}},
 {"job_id": 44, "job_state": ["PENDING", "REQUEUED", "SPECIAL_EXIT"], "state_reason": "BeginTime", "nodes": ""}
]}
"""


def test_an_answer_of_later_versions_is_read() -> None:
    jobs = {job.id: state_of(job) for job in from_queue(LATER)}
    assert jobs == {
        "40_3": FarmState(FarmPhase.FAILED, "ended by signal 9 (SIGKILL)", -9),
        "40_4": FarmState(FarmPhase.QUEUED, "JobArrayTaskLimit"),
        "40_5": FarmState(FarmPhase.QUEUED, "JobArrayTaskLimit"),
        "42": FarmState(FarmPhase.RUNNING),
        "43": FarmState(FarmPhase.FAILED, "out of memory (n2)", -125),
        "44": FarmState(FarmPhase.QUEUED, "BeginTime"),
    }


@pytest.mark.parametrize(
    ("states", "reason", "phase", "said"),
    [
        ("TIMEOUT", "TimeLimit", FarmPhase.FAILED, "time limit (n1)"),
        ("OUT_OF_MEMORY", "OutOfMemory", FarmPhase.FAILED, "out of memory (n1)"),
        ("NODE_FAIL", "NodeDown", FarmPhase.FAILED, "node failure (n1)"),
        ("PREEMPTED", "None", FarmPhase.FAILED, "preempted (n1)"),
        ("PENDING", "DependencyNeverSatisfied", FarmPhase.FAILED, "what its job 7 waits for on Slurm never succeeds"),
        ("CANCELLED", "DependencyNeverSatisfied", FarmPhase.FAILED, "what its job 7 waits for on Slurm never succeeds"),
        ("CANCELLED", "None", FarmPhase.CANCELED, "somebody canceled its job 7 on Slurm"),
        # It still has processes.
        ("CANCELLED COMPLETING", "None", FarmPhase.RUNNING, ""),
        ("PENDING", "Resources", FarmPhase.QUEUED, ""),
        ("PENDING", "PartitionDown", FarmPhase.QUEUED, "PartitionDown"),
        ("PENDING REQUEUED", "BeginTime", FarmPhase.QUEUED, "BeginTime"),
        ("NODE_FAIL REQUEUED", "BeginTime", FarmPhase.QUEUED, "BeginTime"),
        ("SUSPENDED", "None", FarmPhase.RUNNING, "suspended"),
        ("FAILED", "JobLaunchFailure", FarmPhase.FAILED, "its job 7 failed on Slurm: JobLaunchFailure"),
        ("FAILED", "JobHeldAdmin", FarmPhase.FAILED, "its job 7 failed on Slurm: JobHeldAdmin"),
        ("SOMETHING_NEW", "", FarmPhase.QUEUED, ""),
    ],
)
def test_every_state_has_its_meaning(states: str, reason: str, phase: FarmPhase, said: str) -> None:
    state = state_of(SlurmJob("7", frozenset(states.split()), reason, None, "n1"))
    assert (state.phase, state.reason) == (phase, said)


#: As nodes of 22.05 write it, all tasks of an array into one file.
OUTPUT = """\
slurmstepd-n1: error: StepId=31.batch exceeded memory limit (328228864 > 52428800), being killed
slurmstepd-n1: error: Exceeded job memory limit
slurmstepd-n1: error: *** JOB 31 ON n1 CANCELLED AT 2026-11-22T07:02:42 ***
/var/spool/slurmd/job00032/slurm_script: 3: exec: /no/such/python: not found
slurmstepd-n2: error: Detected 1 oom-kill event(s) in StepId=33.batch. Some of your processes may have been killed by \
the cgroup out-of-memory handler.
"""


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (31, "out of memory (n1)"),
        (32, "exit status 127: /var/spool/slurmd/job00032/slurm_script: 3: exec: /no/such/python: not found"),
        (33, "out of memory (n1)"),
        (3, "exit status 127"),
    ],
)
def test_a_failure_without_a_reason_has_that_which_stands_in_its_jobs_output(
    number: int, words: str, tmp_path: Path
) -> None:
    job = SlurmJob("30_1", frozenset({"FAILED"}), "NonZeroExitCode", 127, "n1", "", number)
    output = tmp_path / "out"
    assert explained(state_of(job), job, output).reason == "exit status 127"
    output.write_text(OUTPUT)
    assert explained(state_of(job), job, output).reason == words


def test_each_reason_to_wait_is_told_once_with_what_helps() -> None:
    said: list[str] = []
    waiting = Waiting(said.append)
    queued = FarmState(FarmPhase.QUEUED, "Priority")
    waiting.look({"1": queued, "2": FarmState(FarmPhase.RUNNING), "3": FarmState(FarmPhase.SUCCEEDED, "x")})
    assert said == []
    states = {"7_1": FarmState(FarmPhase.QUEUED, "JobHeldUser"), "8": FarmState(FarmPhase.RUNNING, "suspended")}
    waiting.look(states)
    waiting.look({**states, "9": FarmState(FarmPhase.QUEUED, "QOSMaxJobsPerUserLimit")})
    passes = "they go on when others end, or the limit is raised"
    assert sorted(said) == [
        "job 7_1 waits on Slurm: JobHeldUser\n    scontrol release 7_1 lets them go on",
        "job 8 waits on Slurm: suspended\n    scontrol resume 8 lets them go on",
        f"job 9 waits on Slurm: QOSMaxJobsPerUserLimit\n    a limit of their QOS: sacctmgr show qos; {passes}",
    ]


def test_what_helps_names_all_jobs_that_it_is_needed_for() -> None:
    said: list[str] = []
    held = FarmState(FarmPhase.QUEUED, "JobHeldUser")
    Waiting(said.append).look(dict.fromkeys(["7_0", "7_1", "7_4", "9"], held))
    Waiting(said.append).look(dict.fromkeys([f"{job}_{task}" for job in (12, 8) for task in range(0, 90, 2)], held))
    assert said == [
        "4 jobs wait on Slurm: JobHeldUser\n    scontrol release '9,7_[0-1,4]' lets them go on",
        "90 jobs wait on Slurm: JobHeldUser\n    scontrol release 8,12 lets them go on",
    ]


def test_accounting_knows_what_the_controller_has_forgotten() -> None:
    """As 22.05 writes it."""
    text = (
        "7|COMPLETED|0:0|n1\n8_1|CANCELLED by 1000|0:15|n2\n8_2|FAILED|3:0|n2\n8_[3,5-6%2]|PENDING|0:0|None assigned\n"
        "10|NODE_FAIL|0:0|n1\n"
    )
    known = {job.id: job for job in from_accounting(text + "9|CANCELLED by 0|0:0|None assigned\n")}
    jobs = {name: state_of(job) for name, job in known.items()}
    assert {name for name, state in jobs.items() if state.phase is FarmPhase.QUEUED} == {"8_3", "8_5", "8_6"}
    assert never_began(known["9"])
    # What a controller has lost, accounting calls canceled by nobody.
    assert from_accounting("7|CANCELLED|0:0|n1\n") == []
    assert not never_began(known["8_1"])
    assert jobs["7"].phase is FarmPhase.SUCCEEDED
    assert (jobs["8_1"].phase, jobs["8_1"].exit_status) == (FarmPhase.CANCELED, -15)
    assert (jobs["8_2"].phase, jobs["8_2"].exit_status) == (FarmPhase.FAILED, 3)
    assert (jobs["10"].phase, jobs["10"].exit_status) == (FarmPhase.FAILED, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*new(1, ""), "set", "number"]), inner),
)


@given(st.lists(JSON, max_size=3))
def test_no_answer_of_a_stranger_shape_raises_anything_but_its_own_error(jobs: list[Any]) -> None:
    for job in from_queue(json.dumps({"jobs": jobs})):
        state_of(job)


@given(JSON | st.dictionaries(st.sampled_from(["jobs", "errors", "meta"]), JSON))
def test_no_answer_at_all_raises_anything_but_its_own_errors(said: Any) -> None:
    try:
        jobs = from_queue(json.dumps(said))
    except (ValueError, NoAnswerError):
        return
    assert all(isinstance(job.id, str) and job.states for job in jobs)


def test_an_array_of_no_size_that_slurm_has_is_cut() -> None:
    ids = expanded("7", "0-999999999999")
    assert sum(1 for _ in ids) == 4_000_002


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"jobs": 3}'])
def test_what_is_no_list_of_jobs_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"list of jobs|Expecting"):
        from_queue(text)


def test_a_queue_that_could_not_be_asked_is_no_queue_without_jobs() -> None:
    """As 22.05 says it, with exit status 0, while the controller is away."""
    words = {"description": "Failed while looking for jobs", "error_number": -1, "error": "Unspecified error"}
    with pytest.raises(NoAnswerError, match="Failed while looking for jobs: Unspecified error"):
        from_queue(json.dumps({"meta": {}, "errors": [{**words, "source": "slurm_load_jobs"}], "jobs": []}))
    assert from_queue(json.dumps({"errors": [], "warnings": [], "jobs": []})) == []


@given(st.sets(st.integers(0, 300), min_size=1))
def test_ranges_are_read_as_they_are_written(numbers: set[int]) -> None:
    assert set(numbers_of(ranges(numbers))) == numbers
    assert {each for word in condensed(f"9_{n}" for n in numbers) for each in expanded(*word.split("_"))} == {
        f"9_{n}" for n in numbers
    }


def test_ids_are_said_in_few_words() -> None:
    assert condensed(["4", "7_3", "7_1", "7_2", "7_9", "11"]) == ["4", "11", "7_[1-3,9]"]
    assert list(numbers_of("0-8:4%2")) == [0, 4, 8]


def test_thousands_of_ids_are_no_word_that_is_too_long_for_a_command_line() -> None:
    ids = [f"7_{number}" for number in range(0, 200_000, 2)]
    words = condensed(ids)
    assert max(map(len, words)) < 1 << 17
    assert [each for word in words for each in expanded("7", word.partition("_")[2])] == ids


def test_what_a_users_shell_says_to_slurms_commands_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter would hide jobs, which then count as lost; nobody answers a question."""
    for name in ("SQUEUE_PARTITION", "SCANCEL_INTERACTIVE", "SACCT_FORMAT", "SBATCH_ARRAY_INX", "SBATCH_PARTITION"):
        monkeypatch.setenv(name, "x")
    names = {line.partition("=")[0] for line in Slurm()._run("env").splitlines()}
    assert {each for each in names if each.startswith(("SQUEUE_", "SCANCEL_", "SACCT_", "SBATCH_"))} == {
        "SBATCH_PARTITION"
    }


def test_a_job_that_was_canceled_without_having_seen_a_node_never_began() -> None:
    assert never_began(SlurmJob("7", frozenset({"CANCELLED"}), "Dependency"))
    assert not never_began(SlurmJob("7", frozenset({"CANCELLED"}), "", None, "n1"))
    assert not never_began(SlurmJob("7", frozenset({"PENDING"}), "Dependency"))
