"""Whole cooks on a real cluster: what is heard, what is found out, and what no fault of it may break."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from slurm_bench import network, running, until

from topcook.testkit.cookbench import CookBench
from topcook_slurm.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

WAIT = "while [ ! -e gate ]; do sleep 0.05; done"
GATE = f"sh -c 'touch began_@pdg_index; {WAIT}'"


def ended(cluster: TestCluster) -> bool:
    return not set(cluster.jobs().values()) & {"PENDING", "RUNNING", "COMPLETING"}


def test_items_cook_as_one_array_and_tell_all_that_jobs_tell(bench: CookBench, cluster: TestCluster) -> None:
    script = bench.folder / "job.py"
    script.write_text(
        "import pdgcmd, pdgjson\n"
        "item = pdgjson.WorkItem.fromJobEnvironment()\n"
        "item.setIntAttrib('square', item.index ** 2)\n"
        "open('out_%d' % item.index, 'w').close()\n"
        "pdgcmd.addOutputFile('__PDG_DIR__/out_%d' % item.index)\n"
        "print('said by', item.index)\n"
    )
    before = set(cluster.jobs())
    done = bench.cook(network(f"{sys.executable} {script}", count=12, parms="slurm_collect = 3.0"))
    assert done.outcome == "cooked", done.account
    assert [item.attributes["square"].values for item in done.items("work")] == [(n * n,) for n in range(12)]  # type: ignore[index]
    (array,) = {job.partition("_")[0] for job in set(cluster.jobs()) - before}
    host = done.context.core.host("farm")
    for item in done.items("work"):
        assert item.ran().exit_status == 0
        log = Path(host.directories.log_dir(local=True)) / f"{item.name}.log"
        assert f"said by {item.index}" in log.read_text()
    # Slurm itself tells what they are.
    shown = cluster.call("squeue", "--noheader", "--array", "--states=all", f"--jobs={array}", "--format=%j|%k")
    assert len(shown.splitlines()) == 12
    assert {line.partition("|")[0] for line in shown.splitlines()} == {"work"}
    first, last = done.items("work")[0].name, done.items("work")[-1].name
    assert f" node=work items={first}..{last} jobs=" in shown


def test_an_array_is_no_larger_than_wanted(bench: CookBench, cluster: TestCluster) -> None:
    before = set(cluster.jobs())
    done = bench.cook(network("true", count=7, parms="slurm_collect = 3.0\n        slurm_maxarray = 3"))
    assert done.outcome == "cooked", done.account
    assert sorted(job.partition("_")[2] for job in set(cluster.jobs()) - before) == ["", "0", "0", "1", "1", "2", "2"]


def test_a_failure_is_told_with_its_status_and_tried_again(bench: CookBench, cluster: TestCluster) -> None:
    command = "sh -c 'echo x >> tried; test $(wc -l < tried) -gt 1 || exit 3'"
    done = bench.cook(network(command, more="parms.pdg_retries = 1"))
    (item,) = done.items("work")
    assert (item.state.name, item.attempt) == ("CookedSuccess", 2), done.messages
    done = bench.cook(network("sh -c 'exit 3'"))
    (item,) = done.items("work")
    assert (item.state.name, item.ran().exit_status, item.ran().messages) == ("CookedFail", 3, ["exit status 3"])


def test_parms_of_nodes_and_items_reach_slurm(bench: CookBench, cluster: TestCluster) -> None:
    text = network(
        GATE,
        count=3,
        parms="slurm_cpus = 1\n        slurm_nice = 7",
        more='job_parms.slurm_cpus = "@pdg_index"\n        job_parms.slurm_memory = "100M"\n'
        '        job_parms.slurm_nodelist = "n2"\n        job_parms.slurm_requeue = 0\n'
        '        job_parms.slurm_extraargs = "--begin=now --mail-type=NONE"',
    )
    context = bench.load(text)
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 3, "all run")
    shown = cluster.call("scontrol", "--oneliner", "show", "job").splitlines()
    mine = [line for line in shown if "JobState=RUNNING" in line]
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    assert len(mine) == 3
    assert {cpus for line in mine for cpus in ("CPUs/Task=1 ", "CPUs/Task=2 ") if cpus in line} == {
        "CPUs/Task=1 ",
        "CPUs/Task=2 ",
    }
    for line in mine:
        for words in ("MinMemoryNode=100M", "ReqNodeList=n2", "Requeue=0", "Nice=7"):
            assert words in line


def test_what_slurm_refuses_fails_with_its_words(bench: CookBench, cluster: TestCluster) -> None:
    done = bench.cook(network("true", parms='slurm_partition = "nosuch"'))
    (item,) = done.items("work")
    assert item.state.name == "CookedFail"
    assert "Invalid partition name specified" in item.ran().messages[0]


def test_a_value_that_is_no_value_is_refused_before_slurm_sees_it(bench: CookBench, cluster: TestCluster) -> None:
    before = set(cluster.jobs())
    done = bench.cook(network("true", parms=r'slurm_account = "a\n#SBATCH --exclusive"'))
    assert "slurm_account has a line break" in done.items("work")[0].ran().messages[0]
    done = bench.cook(network("true", parms='slurm_extraargs = "--wrap=reboot"'))
    assert "is set by the scheduler itself" in done.items("work")[0].ran().messages[0]
    assert set(cluster.jobs()) == before


def test_what_jobs_wait_for_is_told(bench: CookBench, cluster: TestCluster) -> None:
    context = bench.load(network("true", parms='slurm_partition = "down"'))
    cook = bench.start(context)
    until(lambda: "PartitionDown" in "\n".join(each.text for each in cook.messages), "the reason is told")
    cook.cancel("by the test")
    bench.finish(context, cook)
    assert ended(cluster)


def test_a_batch_is_one_task_that_tells_of_each_of_its_sub_items(bench: CookBench, cluster: TestCluster) -> None:
    before = set(cluster.jobs())
    done = bench.cook(network("sh -c 'test @pdg_index -ne 1'", count=3, more="parms.framesperbatch = 0"))
    (batch,) = (item for item in done.items("work") if item.batch is not None)
    assert [sub.state.name for sub in batch.batch.items] == ["CookedSuccess", "CookedFail", "CookedSuccess"]  # type: ignore[union-attr]
    assert (batch.state.name, len(set(cluster.jobs()) - before)) == ("CookedFail", 1)


def test_a_cook_that_is_canceled_leaves_no_process_and_no_job(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    # More than the nodes have room for, so that some are queued; what runs ignores SIGTERM and has children.
    context = bench.load(network(f"sh -c 'trap \"\" TERM; sleep {mark} & sleep {mark}'", count=40))
    cook = bench.start(context)
    until(lambda: running(mark), "jobs run")
    cook.cancel("by the test")
    done = bench.finish(context, cook)
    assert set(done.states("work").values()) <= {"CookedCancel", "Uncooked", "Waiting"}, done.messages
    assert "gave up" not in done.messages
    assert ended(cluster)
    until(lambda: not running(mark), "no process left")


def test_items_that_are_canceled_are_ended_and_the_others_go_on(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    # Not on the others' command lines.
    (bench.folder / "mark").write_text(mark)
    context = bench.load(
        network(f"sh -c 'touch began_@pdg_index; test @pdg_index -gt 0 || exec sleep $(cat mark); {WAIT}'", count=3)
    )
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 3, "all run")
    cook.cancel_items([item for item in cook.state.all_items() if item.index == 0])
    until(lambda: not running(mark), "no process left")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert sorted(done.states("work").values()) == ["CookedCancel", "CookedSuccess", "CookedSuccess"]


def test_a_node_that_is_canceled_leaves_no_process_and_no_job_and_the_others_go_on(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    # More than there is room for: some are queued.
    other = '[nodes.other]\n        type = "genericgenerator"\n        parms.command = "touch other"'
    (bench.folder / "net.toml").write_text(textwrap.dedent(network(f"sleep {mark}", count=20, more=other)))
    topcook = [sys.executable, "-m", "topcook"]
    cook = subprocess.Popen(
        [*topcook, "cook", "net.toml", "--progress", "off", "--report", "report.json"],
        cwd=bench.folder,
        stdin=subprocess.DEVNULL,
    )
    try:
        until(lambda: running(mark), "jobs run")
        words = [*topcook, "cancel", "net.toml", "--node", "work"]
        said = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=100, check=False)
        assert said.returncode == 0, said.stdout + said.stderr
        cook.wait(200)
    finally:
        cook.kill()
        cook.wait()
    items = json.loads((bench.folder / "report.json").read_text())["items"]
    states = {node: {item["state"] for item in items if item["node"] == node} for node in ("work", "other")}
    assert states == {"work": {"CookedCancel"}, "other": {"CookedSuccess"}}
    until(lambda: not running(mark), "no process left")
    until(lambda: ended(cluster), "no job left")


def test_a_job_that_somebody_deletes_is_canceled_with_the_reason(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    context = bench.load(network(f"sleep {mark}"))
    cook = bench.start(context)
    until(lambda: running(mark), "the job runs")
    (job,) = [job for job, state in cluster.jobs().items() if state == "RUNNING"]
    cluster.call("scancel", job)
    (item,) = bench.finish(context, cook).items("work")
    assert item.state.name == "CookedCancel"
    assert item.ran().messages == [f"somebody canceled its job {job} on Slurm"]
    until(lambda: not running(mark), "no process left")


def test_a_job_that_somebody_deletes_before_it_begins_is_canceled_too(bench: CookBench, cluster: TestCluster) -> None:
    context = bench.load(network(GATE, count=2, parms="slurm_simultaneous = 1\n        slurm_collect = 3.0"))
    cook = bench.start(context)
    until((bench.folder / "began_0").exists, "one runs")
    (job,) = [job for job, state in cluster.jobs().items() if state == "PENDING"]
    cluster.call("scancel", job)
    until(lambda: "CookedCancel" in {item.state.name for item in cook.state.all_items()}, "it is known")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert [item.state.name for item in done.items("work")] == ["CookedSuccess", "CookedCancel"]


def test_a_whole_network_is_one_job(bench: CookBench, cluster: TestCluster) -> None:
    (bench.folder / "net.toml").write_text(textwrap.dedent(network("sh -c 'echo cooked > done_@pdg_index'", count=2)))
    words = [sys.executable, "-m", "topcook", "submit", "net.toml", "--scheduler", "farm"]
    said = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    words = [sys.executable, "-m", "topcook", "status", said.stdout.strip(), "--wait"]
    told = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert told.stdout.startswith("cooked: 2 CookedSuccess"), told.stdout + told.stderr
    assert len(list(bench.folder.glob("**/done_*"))) == 2
    until(lambda: ended(cluster), "the job that cooked it is over")


def test_a_whole_network_whose_job_is_deleted_before_it_begins_is_lost_with_slurms_word(
    bench: CookBench, cluster: TestCluster
) -> None:
    (bench.folder / "net.toml").write_text(textwrap.dedent(network("true", parms='slurm_extraargs = "--hold"')))
    words = [sys.executable, "-m", "topcook", "submit", "net.toml", "--scheduler", "farm", "--json"]
    said = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    sent = json.loads(said.stdout)
    words = [sys.executable, "-m", "topcook", "status", sent["status_uri"]]
    told = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.startswith("submitted: ")
    cluster.call("scancel", sent["job"])
    told = subprocess.run(
        [*words, "--wait"], cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert told.returncode == 1
    assert told.stdout.startswith("lost: ")
    assert f"cooks no more: somebody canceled its job {sent['job']} on Slurm" in told.stdout


def test_preflight_finds_the_cluster_ready(bench: CookBench, cluster: TestCluster) -> None:
    (bench.folder / "net.toml").write_text(textwrap.dedent(network("true")))
    words = [sys.executable, "-m", "topcook", "preflight", "net.toml"]
    said = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.startswith("farm (slurmscheduler): ready\n")


def test_status_and_log_are_told_for_each_item(bench: CookBench, cluster: TestCluster) -> None:
    (bench.folder / "net.toml").write_text(textwrap.dedent(network("echo said")))
    words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--report", "report.json"]
    subprocess.run(words, cwd=bench.folder, capture_output=True, timeout=200, check=True)
    (item,) = json.loads((bench.folder / "report.json").read_text())["items"]
    assert Path(item["log_uri"].removeprefix("file://")).read_text().endswith("said\n")
    assert item["status_uri"].removeprefix("slurm:") in cluster.jobs()


def test_commands_find_a_working_directory_that_a_shell_would_read_otherwise(
    bench: CookBench, cluster: TestCluster
) -> None:
    odd = """a "b" it's `id` $no_such %j ü"""
    work = bench.folder / odd
    command = "cp '__PDG_DIR__'/in \\\"__PDG_DIR__/out.@pdg_index\\\" && test -e __PDG_DIR__/in && pwd > pwd.@pdg_index"
    work.mkdir()
    (work / "in").touch()
    done = bench.cook(network(command, count=2, parms=f"pdg_workingdir = '''$HIP/{odd}'''"))
    assert done.outcome == "cooked", done.account
    assert {name.name for name in work.glob("out.*")} == {"out.0", "out.1"}
    assert (work / "pwd.0").read_text() == f"{work}\n"
