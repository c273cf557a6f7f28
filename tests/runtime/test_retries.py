"""What a cook does about failures: it tries again, blocks, goes on, stops, or takes them as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from topcook.errors import GraphFileError
from topcook.runtime.report import item_record
from topcook.testkit.cookbench import CookBench

#: Fails until its file has so many lines.
FAILS = "sh -c 'echo x >> tries; test $(wc -l < tries) -ge {good} || exit {status}; echo done >> tries'"


def network(command: str, more: str = "", after: bool = True, head: str = "") -> str:
    return f'''
        [network]
        name = "net"
        {head}
        [nodes.work]
        type = "genericgenerator"
        parms.command = """{command}"""
        {more}
        ''' + (
        """
        [nodes.after]
        type = "genericgenerator"
        inputs = ["work"]
        parms.command = "true"
        """
        if after
        else ""
    )


def tries(bench: CookBench) -> int:
    return (bench.folder / "tries").read_text().count("x")


def test_an_item_that_fails_is_tried_again_until_it_succeeds(bench: CookBench) -> None:
    done = bench.cook(network(FAILS.format(good=3, status=5), "parms.pdg_retries = 4\nparms.pdg_retrydelay = 0.05"))
    assert done.outcome == "cooked"
    assert tries(bench) == 3
    (item,) = done.items("work")
    record = item_record(item)
    assert record["attempts"] == 3
    assert [(each["attempt"], each["exit_status"], each["messages"]) for each in record["earlier_attempts"]] == [
        (1, 5, ["exit status 5"]),
        (2, 5, ["exit status 5"]),
    ]
    assert record["exit_status"] in {0, None}
    assert record["messages"] == []
    waits = [
        later["queued"] - earlier["finished"]
        for earlier, later in zip(record["earlier_attempts"], [*record["earlier_attempts"][1:], record], strict=True)
    ]
    assert waits[0] >= 0.05
    assert waits[1] >= 0.1


def test_the_log_has_what_each_attempt_wrote(bench: CookBench) -> None:
    command = "sh -c 'echo x >> tries; echo try $(wc -l < tries); test $(wc -l < tries) -ge 2'"
    done = bench.cook(network(command, "parms.pdg_retries = 1"))
    (item,) = done.items("work")
    log = Path(f"{done.context.core.host(item.scheduler).directories.log_dir(local=True)}/{item.name}.log")
    assert [line for line in log.read_text().splitlines() if line.startswith("try")] == ["try 1", "try 2"]


def test_when_all_retries_have_failed_the_item_has_and_what_waits_is_blocked(bench: CookBench) -> None:
    done = bench.cook(network("false", "parms.pdg_retries = 2"))
    assert done.outcome == "failed"
    (item,), (after,) = done.items("work"), done.items("after")
    assert (item.attempt, item.state.name, after.state.name) == (3, "CookedFail", "Waiting")


def test_without_retries_an_item_is_tried_once(bench: CookBench) -> None:
    done = bench.cook(network("false"))
    assert done.items("work")[0].attempt == 1
    assert item_record(done.items("work")[0])["earlier_attempts"] == []


def test_an_item_may_ask_for_more_retries_than_its_node(bench: CookBench) -> None:
    (bench.folder / "items.json").write_text(
        """[{"name": "a", "command": "false"},
            {"name": "b", "command": "false", "attributes": {"pdg_retries": 2}}]"""
    )
    done = bench.cook('[nodes.work]\ntype = "itemgraph"\nparms.file = "items.json"\nparms.pdg_retries = 1')
    assert {item.label: item.attempt for item in done.items()} == {"a": 2, "b": 3}


def test_retries_may_be_an_expression(bench: CookBench) -> None:
    text = 'parms.itemcount = 3\nparms.pdg_retries = "@pdg_index"'
    done = bench.cook(network("false", text, after=False))
    assert [item.attempt for item in done.items()] == [1, 2, 3]


def test_a_denied_licence_uses_up_no_retry(bench: CookBench) -> None:
    more = "parms.pdg_retryexitcodes = 77\nparms.pdg_retryexitdelay = 0.02"
    done = bench.cook(network(FAILS.format(good=5, status=77), more))
    assert done.outcome == "cooked"
    assert tries(bench) == 5
    assert done.items("work")[0].attempt == 5


def test_dependents_of_a_failed_item_cook_where_its_policy_says_so(bench: CookBench) -> None:
    done = bench.cook(network("false", 'parms.pdg_onfailure = "continue"'))
    assert done.outcome == "failed"
    assert done.items("work")[0].state.name == "CookedFail"
    assert done.items("after")[0].state.name == "CookedSuccess"


def test_a_failure_may_count_as_success(bench: CookBench) -> None:
    done = bench.cook(network("false", 'parms.pdg_onfailure = "success"'))
    assert done.outcome == "cooked"
    (item,) = done.items("work")
    assert item.state.name == "CookedSuccess"
    assert item_record(item)["exit_status"] == 1
    assert item_record(item)["messages"] == ["exit status 1"]


@pytest.mark.parametrize(
    ("more", "head", "why"),
    [
        ('parms.pdg_onfailure = "stop"', "", 'pdg_onfailure of its node is "stop"'),
        ("", "max_failures = 1", "1 item has failed"),
    ],
)
def test_the_cook_stops_when_enough_has_failed(bench: CookBench, more: str, head: str, why: str) -> None:
    text = network("false", more, head=head) + '\n[nodes.long]\ntype = "genericgenerator"\nparms.command = "sleep 60"\n'
    done = bench.cook(text)
    assert done.outcome == "failed"
    assert why in done.messages
    assert done.items("work")[0].state.name == "CookedFail"
    assert done.items("long")[0].state.name in {"CookedCancel", "Uncooked"}


def test_what_a_failed_attempt_gave_is_forgotten(bench: CookBench) -> None:
    command = (
        "sh -c 'echo x >> tries; n=$(wc -l < tries); echo > out$n.txt; "
        "__PDG_PYTHON__ __PDG_SCRIPTDIR__/pdgcmd.py addOutputFile __PDG_DIR__/out$n.txt; test $n -ge 2'"
    )
    done = bench.cook(network(command, "parms.pdg_retries = 1"))
    assert done.outcome == "cooked"
    assert [Path(file.path).name for file in done.items("work")[0].outputs or ()] == ["out2.txt"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("parms.pdg_retries = -1", "must be 0 or more"),
        ('parms.pdg_onfailure = "explode"', "must be one of: block, continue, stop, success"),
        ('parms.pdg_cachemode = "never"', "must be one of: automatic, automaticignore, alwaysread, alwayswrite"),
        ('parms.pdg_retryexitcodes = "often"', "must be exit statuses"),
        ('parms.pdg_resources = ["licence:nuk=1"]', 'did you mean "licence:nuke"?'),
        ('parms.pdg_resources = "licence:nuke=6"', 'it needs 6 of "licence:nuke", and there are 5'),
        ('parms.pdg_resources = "6 of nuke"', "must name resources"),
    ],
)
def test_a_mistake_in_a_policy_is_told_at_its_line(bench: CookBench, line: str, told: str) -> None:
    with pytest.raises(GraphFileError) as refused:
        bench.load(network("true", line) + '\n[resources]\n"licence:nuke" = 5\n')
    (problem,) = refused.value.problems
    assert told in f"{problem.message} {problem.hint}"
    assert problem.line is not None
    text = (bench.folder / "net.toml").read_text().splitlines()[problem.line - 1]
    assert text.strip() == line


def test_an_item_in_process_is_tried_again(bench: CookBench) -> None:
    text = '''
        [nodes.work]
        type = "pythonscript"
        parms.inprocess = true
        parms.script = """
        from pathlib import Path
        path = Path(r"{folder}/tries")
        path.write_text((path.read_text() if path.exists() else "") + "x")
        if path.read_text().count("x") < 3:
            raise ValueError("not yet")
        """
        parms.pdg_retries = 2
        '''
    done = bench.cook(text.replace("{folder}", str(bench.folder)))
    assert done.outcome == "cooked", done.account
    assert done.items()[0].attempt == 3


def test_frames_of_a_batch_that_ended_well_stay_so_when_it_comes_again(bench: CookBench) -> None:
    command = "echo @pdg_frame >> __PDG_DIR__/ran; test @pdg_frame != 2 || test -e __PDG_DIR__/mended"
    nodes = f"""
        [nodes.sim]
        type = "genericgenerator"
        [nodes.sim.parms]
        framerange = [1, 3, 1]
        framesperbatch = 0
        command = "{command} || {{ touch __PDG_DIR__/mended; false; }}"
        pdg_retries = 1
        """
    done = bench.cook(nodes)
    assert done.outcome == "cooked", done.account
    assert (bench.folder / "ran").read_text().split() == ["1", "2", "3", "2"]
    assert {item.state.name for item in done.items("sim")} == {"CookedSuccess"}
    (batch,) = [item for item in done.items("sim") if item.batch is not None]
    assert batch.attempt == 2


def test_a_scheduler_that_takes_items_statically_gets_retries_by_onSchedule(bench: CookBench) -> None:
    bench.types(
        "statics",
        """
        import pdg
        from pdg.scheduler import PyScheduler

        class Statics(PyScheduler):
            asked = []
            @classmethod
            def templateName(cls):
                return "statics"
            def onScheduleStatic(self, dependencies, dependents, ready):
                for item in dependencies:
                    self.asked.append("static")
                    self.onWorkItemStartCook(item.id, -1)
                    self.onWorkItemFailed(item.id, -1)
            def onSchedule(self, work_item):
                print("onSchedule", work_item.name)
                self.onWorkItemStartCook(work_item.id, -1)
                return pdg.scheduleResult.CookSucceeded

        def registerTypes(type_registry):
            type_registry.registerScheduler(Statics)
        """,
    )
    context = bench.load(network("true", "parms.pdg_retries = 1", head='scheduler = "statics"', after=False))
    context.core.decide_static("statics", takes=True)
    done = bench.cook(context)
    assert done.outcome == "cooked", done.account
    assert done.items()[0].attempt == 2
