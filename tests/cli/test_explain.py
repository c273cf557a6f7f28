"""`topcook explain`: which scheduler, why, and where each overridable value comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from topcook.cli.explain import command
from topcook.runtime.netfile import load_network

NETWORK = """\
[network]
scheduler = "farm"

[schedulers.farm]
type = "pythonscheduler"
parms.farm_password = {env = "PASSWORD"}
parms.farm_pool = "big"
parms.onschedulestatic = "self.graph = dependencies"

[[schedulers.farm.spare]]
name = "farm_queue"
label = "Queue"
value = "slow"
tags = ["jobParm"]
help = "Which of the queues."

[[schedulers.farm.spare]]
name = "farm_pool"
tags = ["jobParm"]

[[schedulers.farm.spare]]
name = "farm_password"
tags = ["jobParm", "secret"]

[[schedulers.farm.spare]]
name = "address"

[schedulers.here]
type = "localscheduler"

[nodes.wedge]
type = "wedge"
parms.wedgeattributes = [
    {name = "farm_queue", values = ["a", "b"]},
    {name = "pdg_scheduler", values = ["", "here"]},
]

[nodes.render]
type = "genericgenerator"
inputs = ["wedge"]
parms.command = "true"

[nodes.sheet]
type = "genericgenerator"
scheduler = "here"
parms.command = "true"
job_parms.local_single = true
job_parms.local_envmulti = [{local_envname = "A", local_envvalue = "@pdg_name"}]

[nodes.dynamic]
type = "genericgenerator"
inputs = ["render"]
parms.pdg_workitemgeneration = "dynamic"
parms.command = "true"
"""


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("net.toml")
    path.write_text(NETWORK)
    return path


def explain(*args: str) -> str:
    done = CliRunner().invoke(command, ["net.toml", *args], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.output


def place(start: str) -> str:
    lines = NETWORK.splitlines()
    return f"net.toml:{next(number for number, line in enumerate(lines, 1) if line.startswith(start))}"


def parms(*args: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(explain(*args, "--json"))["parms"]}


@pytest.mark.parametrize(
    ("args", "scheduler", "why"),
    [
        (["render"], "farm", "because of the network's default (net.toml:2)"),
        (["sheet"], "here", 'because of the node\'s own "scheduler" (net.toml:{line})'),
        (["render", "--scheduler", "here"], "here", "because of --scheduler"),
        (["sheet", "--scheduler", "farm", "--job-parm", "x.y=1"], "", ""),
        # Its job parms are of the scheduler it has in the file, and rest while the command line gives it another.
        (["sheet", "--override", "sheet=farm"], "farm", "because of --override sheet="),
        (["render", "--override", "render=here"], "here", "because of --override render="),
    ],
)
def test_the_scheduler_and_what_named_it(network: Path, args: list[str], scheduler: str, why: str) -> None:
    if not scheduler:
        # There is no such node: told as by every command.
        with pytest.raises(Exception, match="nothing was run"):
            explain(*args)
        return
    said = explain(*args)
    assert f"scheduler: {scheduler}, type" in said
    assert why.format(line=place('scheduler = "here"').partition(":")[2]) in said


def test_static_says_yes_or_no_and_why(network: Path) -> None:
    assert 'static: yes, because its onScheduleStatic field keeps "self.graph" in line 1' in explain("render")
    assert "static: no, because --no-static was given" in explain("render", "--no-static", "farm")
    assert "static: no, because it has no onScheduleStatic of its own" in explain("sheet")


def test_items_that_go_elsewhere_or_differ_are_named(network: Path) -> None:
    said = explain("render")
    assert "render (genericgenerator), 2 items" in said
    assert "render_4 goes to here: the item's attribute pdg_scheduler" in said
    assert '"a" for render_3, by attribute' in said
    assert "items are made during the cook" in explain("dynamic")


def test_every_source_of_a_value_is_told(network: Path) -> None:
    found = parms("render")
    assert list(found) == ["farm_queue", "farm_pool", "farm_password"]
    assert (found["farm_queue"]["from"], found["farm_queue"]["place"]) == ("the network's spare parm", "net.toml:10")
    assert (found["farm_pool"]["from"], found["farm_pool"]["place"]) == ("the network", "net.toml:7")
    assert found["farm_queue"]["items"] == [{"name": "render_3", "value": "a"}, {"name": "render_4", "value": "b"}]
    given = parms("render", "--parm", "farm.farm_pool=x", "--job-parm", "render.farm_queue=y")
    assert (given["farm_pool"]["value"], given["farm_pool"]["from"]) == ("x", "command line, --parm")
    assert (given["farm_queue"]["value"], given["farm_queue"]["from"]) == ("y", "command line, --job-parm")
    own = parms("sheet")
    assert (own["local_single"]["from"], own["local_single"]["place"]) == (
        "the node's job_parms",
        place("job_parms.local_single"),
    )
    assert own["local_CPUs_to_use"]["from"] == 'default of type "localscheduler"'
    assert (own["local_envname1"]["value"], own["local_envmulti"]["value"]) == ("A", 1)


def test_a_secret_is_masked_and_its_source_told(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "hunter2")
    row = parms("render")["farm_password"]
    assert (row["value"], row["from"]) == ("***", "env PASSWORD, by the network")
    assert row["toml"] == 'farm_password = {env = "PASSWORD"}'
    assert "hunter2" not in explain("render")


@pytest.mark.parametrize("node", ["render", "sheet"])
def test_the_lines_to_paste_change_nothing_when_they_are_pasted(network: Path, node: str) -> None:
    answer = json.loads(explain(node, "--json"))
    lines = [row["toml"] for row in answer["parms"] if "#" not in row["name"]]
    text = "\n".join(line for line in NETWORK.splitlines() if not line.startswith("job_parms"))
    network.write_text("\n".join([text, answer["table"], *lines]))
    context = load_network(network)
    job_parms = context.core.network.nodes[node].job_parms
    context.close()
    plain = {row["name"]: row["value"] for row in answer["parms"] if "#" not in row["name"] and not row["secret"]}
    assert {name: job_parms[name] for name in plain} == plain


def test_an_unknown_node_is_told_with_those_there_are(network: Path) -> None:
    with pytest.raises(Exception, match="wedge, render, sheet, dynamic"):
        explain("rendr")


def test_where_in_process_items_cook_is_left_to_a_scheduler_that_has_not_been_started(network: Path) -> None:
    text = network.read_text() + '\n[nodes.script]\ntype = "pythonscript"\nparms.script = "pass"\n'
    network.write_text(text)
    said = " ".join(explain("script").split())
    assert 'in process, unless "farm" says when it is started that it takes such items' in said
