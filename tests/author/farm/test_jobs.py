"""Jobs for a farm, as they are written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from pdgjob import jobwrapper
from topcook.author.farm import FarmJob, farm_job, log_uri, prepare_farm, warn_of_local_disk, wrap_command, write_jobs
from topcook.author.farm.job import announce_server
from topcook.contract.scheduler import PyScheduler
from topcook.testkit import FakeHost


class Scheduler(PyScheduler):
    def onSchedule(self, work_item: Any) -> bool:
        return True


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    (tmp_path / "pdgtemp" / "1" / "scripts").mkdir(parents=True)
    return FakeHost(working=str(tmp_path))


@pytest.fixture
def scheduler(host: FakeHost) -> Scheduler:
    return host.make(Scheduler)


def test_a_job_is_read_back_as_it_was_written(host: FakeHost, scheduler: Scheduler) -> None:
    items = [host.graph.handle(host.graph.add_item(command=f"render 'a b' {number}")) for number in range(3)]
    jobs = [farm_job(scheduler, item, environment={"SHOW": "abc"}, patience=7.0) for item in items]
    file = write_jobs(scheduler, jobs)
    for number, job in enumerate(jobs):
        read = jobwrapper.read_job(file.path, number)
        assert read == job.spec
        assert (read["argv"], read["env"]["SHOW"]) == (["render", "a b", str(number)], "abc")
    assert Path(file.path).stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError, match="has no job 3: it has 3"):
        jobwrapper.read_job(file.path, 3)


def test_paths_are_the_farms_unless_jobs_run_here(host: FakeHost, scheduler: Scheduler, tmp_path: Path) -> None:
    scheduler.setWorkingDir(str(tmp_path), "/farm/show")
    item = host.graph.handle(host.graph.add_item(command="true"))
    there = farm_job(scheduler, item).spec
    assert there["cwd"] == "/farm/show"
    assert {there[name].startswith("/farm/show/pdgtemp") for name in ("log", "ends", "scripts")} == {True}
    here = farm_job(scheduler, item, inside=True).spec
    assert here["cwd"] == str(tmp_path)
    words = write_jobs(scheduler, [farm_job(scheduler, item)]).argv("$TASK")
    assert words[1:] == [
        "/farm/show/pdgtemp/1/scripts/jobwrapper.py",
        f"/farm/show/pdgtemp/1/jobs/{there['token']}.jobs",
        "$TASK",
    ]


def test_a_secret_is_not_in_the_file(host: FakeHost, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = host.job_environment
    monkeypatch.setattr(host, "job_environment", lambda item: {**usual(item), "PDG_RESULT_SECRET": "sesame"})
    job, words = wrap_command(scheduler, host.graph.handle(host.graph.add_item(command="true")))
    assert "sesame" not in Path(words[-1]).read_text() + str(job.spec)


def test_the_address_of_the_log_is_where_the_wrapper_writes_it(host: FakeHost, scheduler: Scheduler) -> None:
    item = host.graph.handle(host.graph.add_item(command="true", name="a b/c#1"))
    job = farm_job(scheduler, item, inside=True)
    address = urlsplit(log_uri(scheduler, item))
    assert (address.scheme, url2pathname(address.path), address.fragment) == ("file", job.spec["log"], "")


def test_a_job_knows_its_cook() -> None:
    assert FarmJob(None, "20260101-120000-ab12-7-3", 3, "work", {}).cook == "20260101-120000-ab12"


def test_where_the_cook_listens_is_told_once_a_session(host: FakeHost, scheduler: Scheduler, tmp_path: Path) -> None:
    prepare_farm(scheduler)
    prepare_farm(scheduler)
    told = tmp_path / "pdgtemp" / "1" / "scripts" / jobwrapper.SERVER_FILE
    assert (host.copied, told.read_text()) == (1, "127.0.0.1:9999\n")
    scheduler.setWorkItemResultServerAddr("farm.example:40000")
    announce_server(scheduler)
    assert told.read_text() == "farm.example:40000\n"


def test_a_disk_of_this_machine_is_warned_of(host: FakeHost, scheduler: Scheduler) -> None:
    assert warn_of_local_disk(scheduler) is False
    host.disk = "ext4"
    assert warn_of_local_disk(scheduler) is True
    (warning,) = host.warnings
    assert "lies on a disk of this machine (ext4)" in warning
    assert "--parm scheduler.pdg_workingdir=DIR" in warning
