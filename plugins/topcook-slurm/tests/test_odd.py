"""What is odd about names, queues and moments, and leaves a cook as it is."""

from __future__ import annotations

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


def test_a_name_of_another_encoding_in_the_queue_hides_no_job(cluster: TestCluster) -> None:
    words = [b"sbatch", b"--parsable", b"--hold", b"--output=/dev/null", b"--job-name=caf\xe9"]
    said = subprocess.run(words, input=b"#!/bin/sh\ntrue\n", check=True, capture_output=True, timeout=60).stdout
    job = said.decode().strip()
    assert Slurm().jobs()[job].states == {"PENDING"}
    Slurm().cancel([job])
