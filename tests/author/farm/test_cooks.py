"""Whole cooks on a farm of processes: what is heard, what is found out, and what no fault of a farm may break."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tests.author.farm.conftest import network
from tests.waiting import until
from topcook.testkit.cookbench import CookBench
from topcook.testkit.processfarm import ProcessFarm
from topcook.testkit.waiting import running

GATE = "sh -c 'touch began_@pdg_index; while [ ! -e gate ]; do sleep 0.02; done'"

#: A farm whose jobs are told of a server that is not there, and do not wait for it.
DEAF = """
from queuefarm import QueueFarm as Base
from topcook.author.farm import farm_job

class DeafFarm(Base):
    @classmethod
    def templateName(cls):
        return "deaffarm"
    def onPreSubmitItem(self, item, env, command):
        env["PDG_RESULT_SERVER"] = "127.0.0.1:9"
        return command
    def onSchedule(self, item):
        self._collector.add(farm_job(self, item, patience=0.0))
        with open(self.scriptDir(True) + "/.pdg_result_server", "w") as stream:
            stream.write("127.0.0.1:9")
        return True

def registerTypes(registry):
    registry.registerScheduler(DeafFarm)
"""


def the_job(farm: ProcessFarm) -> str:
    return until(lambda: [each for each, job in farm.jobs().items() if job["phase"] == "running"], "a job runs")[0]


def test_items_cook_on_the_farm_and_tell_all_that_jobs_tell(bench: CookBench) -> None:
    script = bench.folder / "job.py"
    script.write_text(
        "import pdgcmd, pdgjson\n"
        "item = pdgjson.WorkItem.fromJobEnvironment()\n"
        "item.setIntAttrib('square', item.index ** 2)\n"
        "open('out_%d' % item.index, 'w').close()\n"
        "pdgcmd.addOutputFile('__PDG_DIR__/out_%d' % item.index)\n"
        "print('said by', item.index)\n"
    )
    done = bench.cook(network(f"{sys.executable} {script}", count=5))
    assert done.outcome == "cooked", done.account
    assert [item.attributes["square"].values for item in done.items("work")] == [(n * n,) for n in range(5)]  # type: ignore[index]
    assert [Path(item.outputs[0].path).name for item in done.items("work")] == [f"out_{n}" for n in range(5)]  # type: ignore[index]
    for item in done.items("work"):
        run = item.ran()
        assert (run.exit_status, run.duration is not None and run.duration > 0) == (0, True)
        logs = Path(done.context.core.host("queue").directories.log_dir(local=True))
        assert f"said by {item.index}" in (logs / f"{item.name}.log").read_text()
    temp = Path(done.context.core.host("queue").directories.temp_dir(local=True))
    # Each is removed once the cook has recorded the end.
    until(lambda: not list((temp / "ends").iterdir()), "nothing is left to be told")


def test_many_items_share_a_job_file_and_a_submission(bench: CookBench) -> None:
    done = bench.cook(network("true", count=40, parms="pdg_maxitems = 0"))
    assert done.outcome == "cooked", done.account
    temp = Path(done.context.core.host("queue").directories.temp_dir(local=True))
    files = list((temp / "jobs").iterdir())
    assert len(files) < 40
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    secret = (temp / "scripts" / ".pdg_result_secret").read_text()
    assert not [path for path in files if secret in path.read_text()]


def test_a_failure_is_told_with_its_status(bench: CookBench) -> None:
    done = bench.cook(network("sh -c 'exit 3'"))
    (item,) = done.items("work")
    assert (item.state.name, item.ran().exit_status, item.ran().messages) == ("CookedFail", 3, ["exit status 3"])


def test_a_lost_callback_is_made_up_for_by_the_end_on_disk(bench: CookBench) -> None:
    bench.types("deaf", DEAF)
    command = f"{sys.executable} -c 'import pdgcmd; pdgcmd.setIntAttrib(chr(110), 7); raise SystemExit(@pdg_index * 4)'"
    done = bench.cook(network(command, count=2, parms="").replace("queuefarm", "deaffarm"))
    good, bad = done.items("work")
    assert (good.state.name, good.attributes["n"].values) == ("CookedSuccess", (7,))  # type: ignore[index]
    assert (bad.state.name, bad.ran().exit_status, bad.ran().messages) == ("CookedFail", 4, ["exit status 4"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 without being asked to")
def test_an_end_is_told_to_the_cook_and_not_to_who_has_its_port_elsewhere(bench: CookBench) -> None:
    """The secret goes with it: a server that is bound to one address is not looked for at another."""
    bench.types("deaf", DEAF)
    with socket.create_server(("127.0.0.1", 0)) as thief:
        port = thief.getsockname()[1]
        parms = f'topcook_serverbind = "127.0.0.2"\n        topcook_serverports = "{port}"'
        done = bench.cook(network("true", parms=parms).replace("queuefarm", "deaffarm"))
        assert set(done.states("work").values()) == {"CookedSuccess"}, done.messages
        thief.settimeout(0)
        with pytest.raises(BlockingIOError):
            thief.accept()


def test_a_job_whose_node_dies_fails_with_the_reason(bench: CookBench, farm: ProcessFarm, mark: str) -> None:
    context = bench.load(network(f"sleep {mark}"))
    cook = bench.start(context)
    farm.lose_node(the_job(farm))
    done = bench.finish(context, cook)
    (item,) = done.items("work")
    assert (item.state.name, item.ran().messages) == ("CookedFail", ["node failure"])
    until(lambda: not running(mark), "no process left")


def test_a_job_that_the_farm_runs_again_ends_once(bench: CookBench, farm: ProcessFarm) -> None:
    context = bench.load(network(GATE, parms="queue_requeue = 1"))
    cook = bench.start(context)
    until((bench.folder / "began_0").exists, "the job runs")
    (bench.folder / "began_0").unlink()
    farm.lose_node(the_job(farm))
    until((bench.folder / "began_0").exists, "it runs again")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    (item,) = done.items("work")
    assert (item.state.name, item.attempt) == ("CookedSuccess", 1)
    assert [job["runs"] for job in farm.jobs().values()] == [2]


def test_of_a_job_that_was_run_again_the_outputs_of_the_last_run_count(bench: CookBench, farm: ProcessFarm) -> None:
    script = bench.folder / "job.py"
    script.write_text(
        "import os, pdgcmd, time\n"
        "run = len([name for name in os.listdir('.') if name.startswith('run_')])\n"
        "open('run_%d' % run, 'w').close()\n"
        "pdgcmd.addOutputFile(os.path.abspath('run_%d' % run))\n"
        "open('told_%d' % run, 'w').close()\n"
        "while not os.path.exists('gate'): time.sleep(0.02)\n"
    )
    context = bench.load(network(f"{sys.executable} {script}", parms="queue_requeue = 1"))
    cook = bench.start(context)
    until((bench.folder / "told_0").exists, "the first run has told its output")
    farm.lose_node(the_job(farm))
    until((bench.folder / "told_1").exists, "the second one, too")
    (bench.folder / "gate").touch()
    (item,) = bench.finish(context, cook).items("work")
    assert [Path(file.path).name for file in item.outputs or ()] == ["run_1"]


def test_a_batch_is_one_job_that_tells_of_each_of_its_sub_items(bench: CookBench, farm: ProcessFarm) -> None:
    done = bench.cook(network("sh -c 'test @pdg_index -ne 1'", count=3, more="parms.framesperbatch = 0"))
    assert len(farm.jobs()) == 1, done.messages
    (batch,) = (item for item in done.items("work") if item.batch is not None)
    assert [sub.state.name for sub in batch.batch.items] == ["CookedSuccess", "CookedFail", "CookedSuccess"]  # type: ignore[union-attr]
    assert batch.state.name == "CookedFail"


def test_a_job_that_takes_too_long_fails_with_the_reason(bench: CookBench, mark: str) -> None:
    done = bench.cook(network(f"sleep {mark}", parms="queue_limit = 0.3"))
    (item,) = done.items("work")
    assert (item.state.name, item.ran().messages) == ("CookedFail", ["time limit"])
    until(lambda: not running(mark), "no process left")


def test_items_that_are_sent_together_keep_what_each_of_them_wants(bench: CookBench, farm: ProcessFarm) -> None:
    done = bench.cook(network("true", count=3, more='job_parms.queue_limit = "`@pdg_index`00"'))
    assert done.outcome == "cooked", done.account
    assert sorted(job["limit"] for job in farm.jobs().values()) == [0.0, 100.0, 200.0]


def test_a_value_that_means_nothing_fails_the_items_that_have_it_and_no_others(bench: CookBench) -> None:
    other = """
        [nodes.other]
        type = "genericgenerator"
        parms.command = "true"
        job_parms.queue_limit = "@pdg_name"
        """
    done = bench.cook(network("true", count=3, more=other))
    assert {item.state.name for item in done.items("work")} == {"CookedSuccess"}
    (item,) = done.items("other")
    assert item.state.name == "CookedFail"
    assert 'parm "queue_limit" of "queue" is "other_' in item.ran().messages[0]


def test_items_whose_sending_raises_have_failed_with_that_and_nobody_waits_for_them(bench: CookBench) -> None:
    bench.types(
        "broken",
        """
        from queuefarm import QueueFarm as Base

        class BrokenFarm(Base):
            @classmethod
            def templateName(cls):
                return "brokenfarm"
            def _submit(self, jobs, limit, requeue):
                for job in jobs:
                    if job.work_item.index > 0:
                        raise RuntimeError("the rest is too much")
                    super()._submit([job], limit, requeue)

        def registerTypes(type_registry):
            type_registry.registerScheduler(BrokenFarm)
        """,
    )
    done = bench.cook(network("true", count=3, parms="pdg_maxitems = 0").replace('"queuefarm"', '"brokenfarm"'))
    told = [(item.state.name, item.ran().messages) for item in done.items("work")]
    lost = ("CookedFail", ["it could not be sent: RuntimeError: the rest is too much"])
    assert told == [("CookedSuccess", []), lost, lost]


def test_a_job_that_somebody_deletes_is_canceled_with_the_reason(
    bench: CookBench, farm: ProcessFarm, mark: str
) -> None:
    context = bench.load(network(f"sleep {mark}"))
    cook = bench.start(context)
    farm.cancel([the_job(farm)])
    done = bench.finish(context, cook)
    (item,) = done.items("work")
    assert (item.state.name, item.ran().messages) == ("CookedCancel", ["deleted"])


def test_a_job_that_the_farm_has_forgotten_fails_unless_it_tells_its_end(bench: CookBench, farm: ProcessFarm) -> None:
    text = network(GATE, count=2)
    context = bench.load(text)
    cook = bench.start(context)
    until(lambda: [job for job in farm.jobs().values() if job["phase"] == "running"][1:], "both run")
    for each in farm.jobs():
        farm.forget(each)
    until(lambda: not farm.jobs(), "the farm has forgotten them")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert set(done.states("work").values()) == {"CookedSuccess"}


def test_while_the_farm_is_away_the_cook_says_so_and_goes_on_by_what_jobs_tell(
    bench: CookBench, farm: ProcessFarm
) -> None:
    context = bench.load(network(GATE))
    cook = bench.start(context)
    until((bench.folder / "began_0").exists, "the job runs")
    with farm.away():
        until(lambda: "the farm does not answer" in "\n".join(each.text for each in cook.messages), "it is told")
        (bench.folder / "gate").touch()
        done = bench.finish(context, cook)
    assert done.outcome == "cooked"
    assert "1 jobs are in flight; queue farm is asked again" in done.messages


def test_a_cook_that_is_canceled_leaves_no_process_and_no_job(bench: CookBench, farm: ProcessFarm, mark: str) -> None:
    context = bench.load(network(f"sh -c 'sleep {mark} & sleep {mark}'", count=8))
    cook = bench.start(context)
    until(lambda: running(mark), "jobs run")
    cook.cancel("by the test")
    done = bench.finish(context, cook)
    assert set(done.states("work").values()) <= {"CookedCancel", "Uncooked", "Waiting"}
    assert {job["phase"] for job in farm.jobs().values()} <= {"canceled", "failed"}
    until(lambda: not running(mark), "no process left")


def test_jobs_are_known_to_the_journal_by_the_farms_ids(bench: CookBench, farm: ProcessFarm) -> None:
    done = bench.cook(network("true", count=3))
    told = [item.ran().custom_state.removeprefix("queue farm ") for item in done.items("work")]
    assert sorted(told) == sorted(farm.jobs())
