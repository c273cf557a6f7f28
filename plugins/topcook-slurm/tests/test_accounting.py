"""A Slurm with accounting: what accounts and QOS do not allow, what they let wait, and what became of forgotten jobs."""

from __future__ import annotations

import getpass
import json
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slurm_bench import network, until

from topcook.testkit.cookbench import CookBench
from topcook.testkit.fixtures import skip_without
from topcook_slurm.commands import Slurm
from topcook_slurm.testcluster import TestCluster, missing_programs

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

#: Its limits, of each kind that there is.
QOS = {
    "one": "MaxJobsPerUser=1",
    "closing": "MaxJobsPerUser=1",
    "tiny": "GrpTRES=cpu=1",
    "few": "MaxSubmitJobsPerUser=3",
    "group": "GrpSubmitJobs=2",
    "strict": "MaxTRESPerJob=cpu=1 Flags=DenyOnLimit",
    "others": "Description=others",
}
SACCT = ("--allocations", "--parsable2", "--noheader", "--format=JobID,State")
WAIT = "sh -c 'touch began_NODE_@pdg_index; while [ ! -e gate ]; do sleep 0.05; done'"


@pytest.fixture(scope="module")
def slurm() -> Iterator[TestCluster]:
    """A cluster with a database, and limits of each kind."""
    packages = "slurm-wlm munge slurmdbd mariadb-server-core mariadb-client-core"
    skip_without(missing_programs(accounting=True), f"apt-get install {packages}")
    with TestCluster(accounting=True) as cluster:
        set_up(cluster)
        yield cluster


def set_up(cluster: TestCluster) -> None:
    """Accounts of ours, and what each QOS allows."""
    user = getpass.getuser()
    manage(cluster, "add", "account", "show,busy,small")
    manage(cluster, "add", "user", user, "account=show,busy,small")
    manage(cluster, "modify", "account", "busy", "set", "MaxJobs=1")
    manage(cluster, "modify", "account", "small", "set", "GrpSubmitJobs=2")
    for name, limits in QOS.items():
        manage(cluster, "add", "qos", name, "set", *limits.split())
    allowed = ",".join(["normal", *(name for name in QOS if name != "others")])
    manage(cluster, "modify", "user", user, "set", f"qos={allowed}")
    until(lambda: controller_knows(cluster, "few", "strict", "small", "busy"), "the controller knows them")


def manage(cluster: TestCluster, *words: str) -> None:
    cluster.call("sacctmgr", "--immediate", *words)


def controller_knows(cluster: TestCluster, *names: str) -> bool:
    known = cluster.call("scontrol", "show", "assoc_mgr")
    return all(f"QOS={name}(" in known or f"Account={name} UserName={getpass.getuser()}(" in known for name in names)


def said(cook: Any) -> str:
    return "\n".join(each.text for each in cook.messages)


def node(name: str, command: str, count: int, *parms: str, after: str = "") -> str:
    """A node of a network, with so many items."""
    more = "".join(f"        job_parms.slurm_{each}\n" for each in parms)
    inputs = f'        inputs = ["{after}"]\n' if after else f"        parms.itemcount = {count}\n"
    return (
        f'\n        [nodes.{name}]\n        type = "genericgenerator"\n{inputs}'
        f'        parms.command = """{command.replace("NODE", name)}"""\n{more}'
    )


def test_what_accounts_and_qos_do_not_allow_fails_with_slurms_words(bench: CookBench, cluster: TestCluster) -> None:
    more = (
        node("account", "true", 1, 'account = "nosuch"')
        + node("qos", "true", 1, 'qos = "nosuch"')
        + node("others", "true", 1, 'qos = "others"')
        + node("strict", "true", 1, 'qos = "strict"', "cpus = 2")
    )
    mine = 'job_parms.slurm_account = "show"\n        job_parms.slurm_qos = "few"'
    command = "sh -c 'echo $SLURM_JOB_ACCOUNT $SLURM_JOB_QOS > mine'"
    done = bench.finish(context := bench.load(network(command, more=mine + more)), bench.start(context))
    assert (bench.folder / "mine").read_text().split() == ["show", "few"]
    whys = {name: done.items(name)[0].ran().messages for name in ("account", "qos", "others", "strict")}
    assert set(done.states("work").values()) == {"CookedSuccess"}, done.messages
    assert "Invalid account" in whys["account"][0], whys
    assert "Invalid qos" in whys["qos"][0], whys
    assert "Invalid qos" in whys["others"][0], whys
    assert "QOSMaxCpuPerJobLimit" in whys["strict"][0], whys


@pytest.mark.parametrize("static", [False, True])
def test_more_jobs_than_may_be_there_at_once_go_in_pieces_as_there_is_room(
    bench: CookBench, cluster: TestCluster, static: bool
) -> None:
    """Slurm refuses an array that is larger than the limit as a whole, and however long one waits."""
    # None ends before each limit was met, however they were gathered.
    command = "sh -c 'echo NODE_@pdg_index >> began; while [ ! -e gate ]; do sleep 0.05; done'"
    more = (
        node("group", command, 5, 'qos = "group"')
        + node("small", command, 5, 'account = "small"')
        + node("after", command, 0, 'qos = "few"', after="work")
    )
    context = bench.load(network(command.replace("NODE", "work"), count=8, more='job_parms.slurm_qos = "few"' + more))
    context.core.decide_static("farm", takes=static)
    cook = bench.start(context)
    for limit in ("QOSMaxSubmitJobPerUserLimit", "QOSGrpSubmitJobsLimit", "AssocGrpSubmitJobsLimit"):
        until(lambda: limit in said(cook), limit)  # noqa: B023
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    assert done.out_of_order() == []
    assert ("are submitted by this cook" in done.messages) is static
    began = (bench.folder / "began").read_text().split()
    assert Counter(began) == dict.fromkeys(
        [
            f"{name}_{n}"
            for name, count in (("work", 8), ("after", 8), ("group", 5), ("small", 5))
            for n in range(count)
        ],
        1,
    )


def test_what_a_limit_lets_wait_is_told_with_what_helps_and_goes_on(bench: CookBench, cluster: TestCluster) -> None:
    more = node("busy", WAIT, 2, 'account = "busy"') + node("tiny", WAIT, 1, 'qos = "tiny"', "cpus = 2")
    more += node("closing", WAIT, 1, 'qos = "closing"')
    context = bench.load(network(WAIT.replace("NODE", "work"), count=2, more='job_parms.slurm_qos = "one"' + more))
    # In the way of the one that is to lose its QOS.
    first = by_hand(cluster, "--qos=closing", "sleep 600")
    until(lambda: cluster.jobs()[first] == "RUNNING", "it runs")
    cook = bench.start(context)
    for reason in ("QOSMaxJobsPerUserLimit", "AssocMaxJobsLimit", "QOSGrpCpuLimit"):
        until(lambda: f" on Slurm: {reason}\n    a limit of their" in said(cook), reason)  # noqa: B023
    until(lambda: "QOSGrpCpuLimit" in "".join(cook.link.waiting.values()), "the cook says what it waits for")
    until(lambda: len(list(bench.folder.glob("began_*"))) == 2, "those run that may")
    manage(cluster, "modify", "qos", "tiny", "set", "GrpTRES=cpu=-1")
    until((bench.folder / "began_tiny_0").exists, "a limit that is raised lets it go on")
    manage(cluster, "delete", "qos", "closing")
    until(lambda: " on Slurm: InvalidQOS\n    there is no such QOS any more; scontrol update" in said(cook), "told")
    closed = said(cook).rpartition("scontrol update JobId=")[2].partition(" ")[0]
    cluster.call("scontrol", "update", f"JobId={closed}", "QOS=normal")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account


def test_the_reason_for_which_a_job_runs_again_is_told(bench: CookBench, cluster: TestCluster) -> None:
    command = "sh -c 'echo $TOPCOOK_SLURM_JOB >> began; while [ ! -e gate ]; do sleep 0.05; done'"
    context = bench.load(network(command))
    cook = bench.start(context)
    began = bench.folder / "began"
    until(lambda: began.exists() and began.read_text().endswith("\n"), "it runs")
    job = began.read_text().strip()
    cluster.call("scontrol", "requeue", job)
    until(lambda: "Slurm runs work_1 (job " in said(cook), "it is told")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    until(lambda: Slurm().why_again([job]).get(job, "").startswith("requeued on n"), "accounting has the reason")


def by_hand(cluster: TestCluster, *words: str) -> str:
    """The id of a job that nobody but the test has submitted; the last word is its command."""
    *options, command = words
    return cluster.call("sbatch", "--parsable", "--output=/dev/null", *options, f"--wrap={command}").strip()


def accounts(cluster: TestCluster, *jobs: str) -> dict[str, str]:
    """What accounting says of jobs."""
    lines = cluster.call("sacct", f"--jobs={','.join(jobs)}", *SACCT).splitlines()
    return dict(line.split("|") for line in lines)


#: Waits; then kills what reports its end and writes it down, fails, or ends well, as the item says.
JOB = """
touch began_$1
while [ ! -e gate ]; do sleep 0.05; done
case $1 in
  0) kill -9 $PPID; sleep 600;;
  1) sleep 600;;
esac
"""


def test_what_the_controller_has_forgotten_is_known_by_accounting_also_when_that_was_away(
    bench: CookBench, cluster: TestCluster
) -> None:
    """Nobody reports, nothing is on disk, and the controller knows nothing: a job is not lost for all that."""
    folder = bench.folder
    (folder / "job.sh").write_text(JOB)
    text = network("sh job.sh @pdg_index", count=4, parms="slurm_lostafter = 1.0") + node(
        # With a dependency of its own: Slurm is not given it with the others.
        "after",
        "touch after_@pdg_index",
        0,
        'extraargs = "--dependency=singleton"',
        after="work",
    )
    (folder / "net.toml").write_text(textwrap.dedent(text))
    # What is given away at once tries to report for seconds, not minutes.
    words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--static", "farm", "--progress", "off"]
    with (folder / "said").open("wb") as out:
        cook = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        until(lambda: len(list(folder.glob("began_*"))) == 4, "all run")
        cook.kill()
        cook.wait()
        ours = [job for job, state in cluster.jobs().items() if state == "RUNNING"]
        assert len(ours) == 4
        (folder / "gate").touch()
        cluster.call("scancel", next(job for job in ours if job.endswith("_1")))
        until(
            lambda: (
                sorted(next(iter(each.states)) for each in Slurm().history(ours).values())
                == ["CANCELLED", "COMPLETED", "COMPLETED", "FAILED"]
            ),
            "accounting knows all ends",
        )
        waits, runs = (by_hand(cluster, *words) for words in (("--hold", "true"), ("sleep 600",)))
        until(lambda: cluster.jobs()[runs] == "RUNNING", "one runs")
        until(lambda: accounts(cluster, waits, runs) == {waits: "PENDING", runs: "RUNNING"}, "accounting knows both")
        cluster.stop_controller()
        cluster.start_controller(clean=True)
        assert not cluster.jobs()
        # Nobody has canceled them.
        until(lambda: accounts(cluster, waits, runs) == {waits: "CANCELLED", runs: "CANCELLED"}, "both are lost")
        assert not Slurm().history([waits, runs])
        # A disk that has lost what the job left there.
        (end,) = folder.glob("pdgtemp/*/ends/*-4-1.json")
        end.unlink()
        cluster.stop_accounting()
        again = subprocess.Popen(
            [*words, "--resume", "--report", "report.json"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
        until(lambda: "accounting does not answer" in (folder / "said").read_text(), "it is told")
        # What is to be cooked is submitted all the same.
        until((folder / "after_2").exists, "what follows cooks")
        cluster.start_accounting()
        assert again.wait(300) == 1, (folder / "said").read_text()
    items = json.loads((folder / "report.json").read_text())["items"]
    states = {f"{each['node']}_{each['index']}": each["state"] for each in items}
    words_of = {f"{each['node']}_{each['index']}": " ".join(each["messages"]) for each in items}
    assert [states[f"work_{n}"] for n in range(4)] == ["CookedFail", "CookedCancel", "CookedSuccess", "CookedSuccess"]
    assert "ended by signal 9 (SIGKILL)" in words_of["work_0"]
    assert "somebody canceled its job" in words_of["work_1"]
    assert [states[f"after_{n}"] for n in (2, 3)] == ["CookedSuccess", "CookedSuccess"]
    assert (folder / "after_3").exists()


@pytest.mark.parametrize(("kind", "broken"), [("none", False), ("nosuch", True)])
def test_accounting_that_is_not_there_is_asked_once_and_what_is_wrong_with_it_is_told(
    cluster: TestCluster, tmp_path: Path, kind: str, broken: bool
) -> None:
    conf = tmp_path / "slurm.conf"
    text = Path(cluster.environment["SLURM_CONF"]).read_text()
    conf.write_text(text.replace("accounting_storage/slurmdbd", f"accounting_storage/{kind}"))
    slurm = Slurm(str(conf))
    assert slurm.history(["1"]) == {}
    assert slurm.no_history == ""
    assert ("accounting_storage/nosuch" in slurm.history_refused) is broken
    assert bool(slurm.history_refused) is broken
    slurm.history_refused = ""
    assert slurm.history(["1"]) == {}
    assert slurm.history_refused == ""
