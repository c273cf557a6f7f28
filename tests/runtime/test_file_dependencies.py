"""Files that items depend on, and directories by callbacks, in real cooks."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from topcook.testkit.cookbench import CookBench

RUNNER = """
    import os, subprocess
    import pdg
    from pdg.scheduler import PyScheduler

    def note(*words):
        with open(os.path.join(os.environ["HIP"], "calls.txt"), "a") as stream:
            stream.write(" ".join(map(str, words)) + chr(10))

    class Farm(PyScheduler):
        def onSchedule(self, work_item):
            note("onSchedule", work_item.name)
            self.createJobDirsAndSerializeWorkItems(work_item)
            env = dict(os.environ)
            self.addCommonJobEnvVars(env, work_item)
            status = subprocess.call(
                self.expandCommandTokens(work_item.command, work_item), shell=True, env=env, cwd=self.workingDir(True))
            return pdg.scheduleResult.CookFailed if status else pdg.scheduleResult.CookSucceeded
    {methods}
    def registerTypes(type_registry):
        type_registry.registerScheduler(Farm)
"""


def farm(bench: CookBench, methods: str = "") -> None:
    """A scheduler that blocks in ``onSchedule``, with more methods."""
    more = "\n" + textwrap.indent(textwrap.dedent(methods), "    ")
    bench.types("farm", textwrap.dedent(RUNNER).replace("{methods}", more))


def calls(bench: CookBench) -> list[str]:
    path = bench.folder / "calls.txt"
    return path.read_text().splitlines() if path.exists() else []


TOLD = """
def transferFile(self, file_path):
    note("transferFile", file_path)
    return PyScheduler.transferFile(self, file_path)
"""


def test_each_file_is_brought_once_before_the_first_item_that_needs_it(bench: CookBench) -> None:
    farm(bench, TOLD)
    (bench.folder / "tools" / "deep").mkdir(parents=True)
    (bench.folder / "tools" / "deep" / "say.sh").write_text("echo $1 > $2")
    (bench.folder / "common.txt").write_text("shared")
    done = bench.cook(
        """
        [network]
        name = "net"
        scheduler = "farm"
        files = ["common.txt"]
        [schedulers.farm]
        type = "farm"
        parms.pdg_workingdir = "$HIP/work"
        [nodes.first]
        type = "genericgenerator"
        parms = { itemcount = 2, command = "cat __PDG_DIR__/common.txt" }
        [nodes.second]
        type = "genericgenerator"
        inputs = ["first"]
        files = ["$HIP/tools"]
        parms = { command = "sh __PDG_DIR__/tools/deep/say.sh hello __PDG_DIR__/__PDG_ITEM_NAME__.out" }
        """
    )
    assert done.outcome == "cooked", done.account
    said = calls(bench)
    first, second = f"transferFile {bench.folder}/common.txt", f"transferFile {bench.folder}/tools"
    assert [line for line in said if line.startswith("transfer")] == [first, second]
    assert said[0] == first
    assert said.index(second) < min(said.index(f"onSchedule {item.name}") for item in done.items("second"))
    assert (bench.folder / "work" / f"{done.items('second')[0].name}.out").read_text() == "hello\n"


NEEDS = """
    [network]
    name = "net"
    scheduler = "farm"
    [schedulers.farm]
    type = "farm"
    parms = { pdg_workingdir = "$HIP/work" }
    [nodes.needs]
    type = "genericgenerator"
    files = ["tex/wood.exr"]
    parms = { itemcount = 3, command = "echo needs" }
    [nodes.after]
    type = "genericgenerator"
    inputs = ["needs"]
    parms = { command = "echo after" }
    [nodes.free]
    type = "genericgenerator"
    parms = { command = "echo free" }
"""


STATIC = """
staticCook = True
def onScheduleStatic(self, dependencies, dependents, ready_items):
    for item in dependencies:
        self.onSchedule(item)
        self.onWorkItemSucceeded(item.id, -1, 0.1)
"""


@pytest.mark.parametrize(
    ("methods", "reason"),
    [
        ("", "transferFile returned False: cannot transfer"),
        ("def transferFile(self, file_path):\n    note('asked')\n    return False", "transferFile returned False"),
        ("def transferFile(self, file_path):\n    note('asked')\n    raise OSError('no room')", "transferFile raised"),
        ("def onTransferFile(self, file_path):\n    note('asked')\n    return False", "onTransferFile returned False"),
    ],
)
@pytest.mark.parametrize("static", ["", STATIC], ids=["dynamic", "static"])
def test_a_file_that_cannot_be_brought_fails_the_items_that_need_it_and_names_it(
    bench: CookBench, methods: str, reason: str, static: str
) -> None:
    farm(bench, textwrap.dedent(methods) + textwrap.dedent(static))
    done = bench.cook(NEEDS)
    assert done.outcome == "failed"
    states = {item.node.name: item.state.name for item in done.items()}
    assert states == {"needs": "CookedFail", "after": "Waiting", "free": "CookedSuccess"}
    why = done.why(done.items("needs")[0].name)
    assert (
        f'the file "tex/wood.exr" that it needs was not brought over: scheduler "farm": {reason}'.split(": sch")[0]
        in why
    )
    assert reason in why
    assert calls(bench).count("asked") == (1 if "asked" in methods else 0)
    assert not any("needs" in line or "after" in line for line in calls(bench))


def test_a_saved_schedulers_own_transfer_is_called_and_may_use_the_base_ones(bench: CookBench) -> None:
    farm(bench, "def onTransferFile(self, file_path):\n    note('mine')\n    return self.transferFile(file_path)")
    (bench.folder / "tex").mkdir()
    (bench.folder / "tex" / "wood.exr").write_text("wood")
    done = bench.cook(NEEDS)
    assert done.outcome == "cooked", done.account
    assert calls(bench).count("mine") == 1
    assert (bench.folder / "work" / "tex" / "wood.exr").read_text() == "wood"


def test_two_files_that_would_take_the_same_place_are_not_mixed_up(
    bench: CookBench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    farm(bench)
    for name in ("one", "two"):
        folder = tmp_path_factory.mktemp(name)
        (folder / "same.txt").write_text(name)
        os.symlink(folder, bench.folder / f"to_{name}")
    outside = [os.path.realpath(bench.folder / f"to_{name}") for name in ("one", "two")]
    done = bench.cook(
        f"""
        [network]
        name = "net"
        scheduler = "farm"
        [schedulers.farm]
        type = "farm"
        parms = {{ pdg_workingdir = "$HIP/work" }}
        [nodes.one]
        type = "genericgenerator"
        files = ["{outside[0]}/same.txt"]
        parms = {{ command = "cat __PDG_DIR__/same.txt" }}
        [nodes.two]
        type = "genericgenerator"
        files = ["{outside[1]}/same.txt"]
        parms = {{ command = "cat __PDG_DIR__/same.txt" }}
        """
    )
    assert sorted(done.states().values()) == ["CookedFail", "CookedSuccess"]
    failed = next(item for item in done.items() if item.state.name == "CookedFail")
    assert "has the place" in done.why(failed.name)


def test_a_python_script_below_hip_is_brought_to_its_job(bench: CookBench) -> None:
    (bench.folder / "job.py").write_text("import os\nopen(os.environ['PDG_DIR'] + '/at', 'w').write(__file__)\n")
    done = bench.cook(
        """
        [network]
        name = "net"
        scheduler = "local"
        [schedulers.local]
        type = "localscheduler"
        parms = { pdg_workingdir = "$HIP/work" }
        [nodes.script]
        type = "pythonscript"
        parms = { file = "job.py", inprocess = 0 }
        """
    )
    assert done.outcome == "cooked", done.account
    assert (bench.folder / "work" / "at").read_text() == f"{bench.folder}/work/job.py"


def test_the_cook_works_where_an_authors_working_dir_says(bench: CookBench) -> None:
    farm(
        bench,
        """
        def workingDir(self, local):
            if local:
                return self["pdg_workingdir"].evaluateString() + "/mine"
            return "/farm/mine"
        """,
    )
    done = bench.cook(
        NEEDS.replace('files = ["tex/wood.exr"]', "").replace("echo free", "echo $PDG_DIR > __PDG_ITEM_NAME__")
    )
    assert done.outcome == "cooked", done.account
    work = bench.folder / "work" / "mine"
    assert (work / done.items("free")[0].name).read_text() == "/farm/mine\n"
    assert Path(done.context.core.host("farm").log_path).is_relative_to(work / "pdgtemp")


@pytest.mark.parametrize("asked", ["onStartCook(self, static, cook_set)", "onSchedule(self, work_item)"])
def test_a_working_dir_and_a_localize_path_that_call_each_other_are_told_so(bench: CookBench, asked: str) -> None:
    farm(
        bench,
        f"""
        loop = False
        def workingDir(self, local):
            return self.localizePath("__PDG_DIR__") if self.loop else self["pdg_workingdir"].evaluateString()
        def {asked}:
            self.loop = True
            self.localizePath("a/b")
        """,
    )
    done = bench.cook(NEEDS.replace('files = ["tex/wood.exr"]', ""))
    assert done.outcome == "failed"
    assert 'workingDir and localizePath of "farm" call each other without end' in done.messages


def test_a_working_dir_that_asks_for_itself_stops_the_cook_before_it_begins(bench: CookBench) -> None:
    farm(bench, 'def workingDir(self, local):\n    return self.localizePath("__PDG_DIR__")')
    done = bench.cook(NEEDS)
    assert done.outcome == "failed"
    assert 'let workingDir(True) answer without localizePath, as by self["pdg_workingdir"]' in done.messages
    assert calls(bench) == []
