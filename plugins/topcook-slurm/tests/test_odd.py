"""What is odd about names, queues and moments, and leaves a cook as it is."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import Any

import pytest
from slurm_bench import network

from topcook.testkit.cookbench import CookBench
from topcook_slurm.commands import Slurm
from topcook_slurm.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine


def test_an_item_whose_job_cannot_be_made_fails_and_the_others_of_a_static_cook_do_not_wait_for_it(
    bench: CookBench, cluster: TestCluster
) -> None:
    more = """
        [nodes.odd]
        type = "genericgenerator"
        parms.command = "true"
        [nodes.after]
        type = "genericgenerator"
        inputs = ["odd"]
        parms.command = "true"
    """
    context = bench.load(network("true", count=2, more=more))
    context.core.decide_static("farm", takes=True)

    def in_the_way(cook: Any) -> None:
        """A directory where the file of its data is to be."""
        (bench.folder / "pdgtemp" / cook.link.cook_id / "data" / "odd_3.json").mkdir(parents=True)

    done = bench.finish(context, bench.start(context, before=in_the_way))
    assert set(done.states("work").values()) == {"CookedSuccess"}, done.messages
    assert set(done.states("odd").values()) == {"CookedFail"}, done.messages
    (text,) = done.items("odd")[0].ran().messages
    assert text.startswith("its job cannot be made: ")
    assert set(done.states("after").values()) == {"Waiting"}


def test_a_working_directory_may_be_called_what_slurm_takes_for_its_own_words(
    bench: CookBench, cluster: TestCluster
) -> None:
    # A backslash has Slurm leave %j in a path as it is, and is not part of the path itself.
    place = bench.folder / "50%j \\n take"
    place.mkdir()
    done = bench.cook(network("touch made.@pdg_index", count=2, parms=f"pdg_workingdir = '{place}'"))
    assert done.outcome == "cooked", done.account
    assert sorted(each.name for each in place.glob("made.*")) == ["made.0", "made.1"]


def test_a_name_of_another_encoding_in_the_queue_hides_no_job(cluster: TestCluster) -> None:
    words = [b"sbatch", b"--parsable", b"--hold", b"--output=/dev/null", b"--job-name=caf\xe9"]
    said = subprocess.run(words, input=b"#!/bin/sh\ntrue\n", check=True, capture_output=True, timeout=60).stdout
    job = said.decode().strip()
    assert Slurm().jobs()[job].states == {"PENDING"}
    Slurm().cancel([job])


@pytest.mark.parametrize(
    "instead",
    [
        '"$real" --quiet "$@"',
        'id=$("$real" "$@") && echo Welcome to the farm && echo "$id;farm" && echo 3 jobs wait before yours',
        'id=$("$real" "$@") && echo "Submitted batch job $id"',
    ],
)
def test_a_job_runs_once_and_is_heard_of_whatever_the_sites_own_sbatch_says(
    bench: CookBench, cluster: TestCluster, monkeypatch: pytest.MonkeyPatch, instead: str
) -> None:
    folder = bench.folder / "bin"
    folder.mkdir()
    program = folder / "sbatch"
    program.write_text(f"#!/bin/sh\nreal={shlex.quote(str(shutil.which('sbatch')))}\n{instead}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    done = bench.cook(network("sh -c 'echo ran >> ran_@pdg_index'", count=3))
    assert set(done.states("work").values()) == {"CookedSuccess"}, done.messages
    assert [(bench.folder / f"ran_{index}").read_text() for index in range(3)] == ["ran\n"] * 3


@pytest.mark.parametrize(
    ("parm", "said"),
    [
        ('slurm_conf = "/nowhere/slurm.conf"', "slurm_conf: there is no file /nowhere/slurm.conf"),
        ("slurm_timeout = 0.0", "slurm_timeout is 0: the seconds for each command of Slurm"),
    ],
)
def test_what_no_command_of_slurm_can_be_run_with_is_told_at_once(bench: CookBench, parm: str, said: str) -> None:
    done = bench.cook(network("true", parms=parm))
    assert done.outcome != "cooked"
    assert said in done.account + str(done.messages), done.messages
    assert "onStopCook" not in done.account + str(done.messages)
