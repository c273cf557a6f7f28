"""Whole cooks on a real cluster: what is heard of each item, and what Dask is told of it."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path

import distributed
import pytest
from dask_bench import network, ours, until

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

WAIT = "while [ ! -e gate ]; do sleep 0.05; done"


def test_items_cook_as_tasks_and_tell_all_that_jobs_tell(bench: CookBench, cluster: TestCluster) -> None:
    script = bench.folder / "job.py"
    script.write_text(
        "import pdgcmd, pdgjson\n"
        "item = pdgjson.WorkItem.fromJobEnvironment()\n"
        "item.setIntAttrib('square', item.index ** 2)\n"
        "open('out_%d' % item.index, 'w').close()\n"
        "pdgcmd.addOutputFile('__PDG_DIR__/out_%d' % item.index)\n"
        "print('said by', item.index)\n"
    )
    done = bench.cook(network(cluster, f"{sys.executable} {script}", count=6))
    assert done.outcome == "cooked", done.account
    assert [item.attributes["square"].values for item in done.items("work")] == [(n * n,) for n in range(6)]  # type: ignore[index]
    host = done.context.core.host("farm")
    for item in done.items("work"):
        assert item.ran().exit_status == 0
        log = Path(host.directories.log_dir(local=True)) / f"{item.name}.log"
        assert f"said by {item.index}" in log.read_text()


def test_a_failure_is_told_with_its_status_and_tried_again(bench: CookBench, cluster: TestCluster) -> None:
    command = "sh -c 'echo x >> tried; test $(wc -l < tried) -gt 1 || exit 3'"
    done = bench.cook(network(cluster, command, more="parms.pdg_retries = 1"))
    (item,) = done.items("work")
    assert (item.state.name, item.attempt) == ("CookedSuccess", 2), done.messages
    done = bench.cook(network(cluster, "sh -c 'exit 3'"))
    (item,) = done.items("work")
    assert (item.state.name, item.ran().exit_status, item.ran().messages) == ("CookedFail", 3, ["exit status 3"])


def test_parms_of_nodes_and_items_reach_dask(bench: CookBench, cluster: TestCluster) -> None:
    text = network(
        cluster,
        f"sh -c 'touch began_@pdg_index; {WAIT}'",
        count=2,
        more='job_parms.dask_resources = "slots=@pdg_index"\n        job_parms.dask_workers = "w2"\n'
        "        job_parms.dask_priority = 7",
    )
    context = bench.load(text)
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 2, "both run")
    assert {name for name, keys in cluster.executing().items() if keys} == {"w2"}
    with cluster.client() as client:
        found = client.run_on_scheduler(
            lambda dask_scheduler: sorted(
                (task.resource_restrictions or {}).get("slots", 0.0) - task.priority[0]
                for key, task in dask_scheduler.tasks.items()
                if key.startswith("topcook_work-")
            )
        )
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    # Dask counts downwards: what is more urgent has the lower number.
    assert found == [7.0, 8.0]


def test_a_value_that_is_no_value_is_refused_before_dask_sees_it(bench: CookBench, cluster: TestCluster) -> None:
    done = bench.cook(network(cluster, "true", parms='dask_resources = "GPU"'))
    (item,) = done.items("work")
    assert item.state.name == "CookedFail"
    assert 'dask_resources: "GPU" is no resource' in item.ran().messages[0]


def test_nothing_secret_is_in_what_dask_is_told(bench: CookBench, cluster: TestCluster) -> None:
    secret = uuid.uuid4().hex
    text = network(
        cluster,
        f"sh -c 'touch began; {WAIT}'",
        parms=f'dask_envmulti = 1\n        dask_envname1 = "KEY"\n        dask_envvalue1 = "{secret}"',
    )
    context = bench.load(text)
    cook = bench.start(context)
    until((bench.folder / "began").exists, "it runs")
    with cluster.client() as client:
        told = client.run_on_scheduler(
            lambda dask_scheduler: " ".join(repr(task.run_spec.args) for task in dask_scheduler.tasks.values())
        )
    (bench.folder / "gate").touch()
    assert bench.finish(context, cook).outcome == "cooked"
    assert ".jobs" in told
    assert secret not in told
    assert context.core.secret not in told


def test_log_and_status_are_told_for_each_item(bench: CookBench, cluster: TestCluster) -> None:
    (bench.folder / "net.toml").write_text(textwrap.dedent(network(cluster, "echo said")))
    words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--report", "report.json"]
    subprocess.run(words, cwd=bench.folder, capture_output=True, timeout=200, check=True)
    (item,) = json.loads((bench.folder / "report.json").read_text())["items"]
    assert Path(item["log_uri"].removeprefix("file://")).read_text().endswith("said\n")
    assert "/info/task/topcook_work-" in item["status_uri"]


def test_the_status_address_is_made_as_the_parm_says(bench: CookBench, cluster: TestCluster) -> None:
    done = bench.cook(network(cluster, "true", count=2, parms='dask_statusurl = "https://portal/{key}?show"'))
    host = done.context.core.host("farm")
    assert done.outcome == "cooked", done.account
    said = {host.instance.getStatusURI(item) for item in done.items("work")}
    assert len(said) == 2
    assert all(url.startswith("https://portal/topcook_work-") and url.endswith("?show") for url in said), said


def test_a_whole_network_is_one_task_that_goes_on_when_its_sender_has_gone(
    bench: CookBench, cluster: TestCluster
) -> None:
    text = network(cluster, f"sh -c '{WAIT}; echo cooked > done_@pdg_index'", count=2)
    (bench.folder / "net.toml").write_text(textwrap.dedent(text))
    words = [sys.executable, "-m", "topcook", "submit", "net.toml", "--scheduler", "farm"]
    said = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    uri = said.stdout.splitlines()[0]
    until(lambda: len(ours(cluster)) == 3, "the network and its two items are tasks")
    for gate in (bench.folder / "gate", *(path / "gate" for path in bench.folder.rglob("*") if path.is_dir())):
        gate.touch()
    until(lambda: len(list(bench.folder.glob("**/done_*"))) == 2, "the network has cooked")
    wait = [sys.executable, "-m", "topcook", "status", uri, "--wait"]
    told = subprocess.run(wait, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.startswith("cooked: 2 CookedSuccess")
    until(lambda: not ours(cluster), "no task is left")


def test_a_whole_network_whose_task_is_deleted_before_it_begins_is_lost_with_dasks_word(
    bench: CookBench, cluster: TestCluster
) -> None:
    text = network(cluster, "true", parms='dask_resources = "nobody-has-this=1"')
    (bench.folder / "net.toml").write_text(textwrap.dedent(text))
    words = [sys.executable, "-m", "topcook", "submit", "net.toml", "--scheduler", "farm", "--json"]
    said = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    sent = json.loads(said.stdout)
    words = [sys.executable, "-m", "topcook", "status", sent["status_uri"]]
    told = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert (told.returncode, told.stderr) == (0, ""), told.stdout + told.stderr
    assert told.stdout.startswith("submitted: ")
    with cluster.client() as client:
        client.cancel([distributed.Future(sent["job"], client=client)], force=True)
    until(lambda: not ours(cluster), "the task is gone")
    told = subprocess.run(
        [*words, "--wait"], cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert told.returncode == 1, told.stdout + told.stderr
    assert told.stdout.startswith("lost: ")
    assert f"its job {sent['job']} cooks no more: " in told.stdout


def test_preflight_finds_the_cluster_ready(bench: CookBench, cluster: TestCluster) -> None:
    (bench.folder / "net.toml").write_text(textwrap.dedent(network(cluster, "true")))
    words = [sys.executable, "-m", "topcook", "preflight", "net.toml"]
    said = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.startswith("farm (daskscheduler): ready\n")


def test_a_profile_moves_a_network_to_the_cluster(bench: CookBench, cluster: TestCluster) -> None:
    text = f"""
        [network]
        name = "net"
        [schedulers.farm]
        type = "daskscheduler"
        [profiles.far]
        scheduler = "farm"
        [profiles.far.parms]
        "farm.dask_address" = "{cluster.address}"
        [nodes.work]
        type = "genericgenerator"
        parms.command = "sh -c 'echo $PDG_ITEM_RUN'"
    """
    (bench.folder / "net.toml").write_text(textwrap.dedent(text))
    words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--profile", "far", "--report", "report.json"]
    said = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=200, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    (item,) = json.loads((bench.folder / "report.json").read_text())["items"]
    assert item["scheduler"] == "farm"


def test_the_files_of_ends_are_removed_when_they_are_recorded(bench: CookBench, cluster: TestCluster) -> None:
    done = bench.cook(network(cluster, "true", count=5))
    assert done.outcome == "cooked", done.account
    ends = Path(done.context.core.host("farm").directories.temp_dir(local=True)) / "ends"
    assert list(ends.iterdir()) == []


def test_commands_find_a_working_directory_that_a_shell_would_read_otherwise(
    bench: CookBench, cluster: TestCluster
) -> None:
    odd = """a "b" it's `id` $no_such %j ü"""
    work = bench.folder / odd
    command = "cp '__PDG_DIR__'/in \\\"__PDG_DIR__/out.@pdg_index\\\" && test -e __PDG_DIR__/in && pwd > pwd.@pdg_index"
    work.mkdir()
    (work / "in").touch()
    done = bench.cook(network(cluster, command, count=2, parms=f"pdg_workingdir = '''$HIP/{odd}'''"))
    assert done.outcome == "cooked", done.account
    assert {name.name for name in work.glob("out.*")} == {"out.0", "out.1"}
    assert (work / "pwd.0").read_text() == f"{work}\n"
