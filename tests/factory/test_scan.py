"""From files to records: what is found, what is executed, and that nothing is ever fatal or lost."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.errors import SchedulerContractError, UnknownSchedulerError, UnknownTypeError
from topcook.factory import Factory, Kind, Record, State

Drop = Callable[..., Path]
Scan = Callable[..., Factory]


def by_name(factory: Factory) -> dict[str, Record]:
    return {record.name: record for record in factory.records}


def only(factory: Factory) -> Record:
    (record,) = factory.records
    return record


def test_a_dropped_file_becomes_a_scheduler_of_the_menu(drop: Drop, scan: Scan) -> None:
    path = drop("myfarm.py")
    record = only(scan())
    assert (record.name, record.label, record.category, record.kind) == (
        "myfarm",
        "Myfarm",
        "Schedulers",
        Kind.SCHEDULER,
    )
    assert record.state is State.OK
    assert (str(record.origin), record.problems) == (str(path), [])
    assert record.callbacks["onSchedule"] == "implemented"
    assert record.callbacks["onTick"] == "default"
    assert record.type_object is not None
    assert record.content_hash


def test_built_in_types_come_through_the_same_door(scan: Scan) -> None:
    factory = scan("nowhere", builtins=True)
    assert factory.scheduler("local").name == "localscheduler"
    assert factory.node_type("genericgenerator").kind is Kind.NODE
    assert [record for record in factory.records if record.state is not State.OK] == []


@pytest.mark.parametrize("asked", ["myfarm", "MyFarm", "MYFARM", " myfarm "])
def test_case_does_not_count(drop: Drop, scan: Scan, asked: str) -> None:
    drop("x.py", name="MyFarm")
    assert scan().scheduler(asked).name == "MyFarm"


def test_a_short_name_leaves_out_scheduler_but_the_full_name_goes_first(drop: Drop, scan: Scan) -> None:
    drop("a.py", name="slurmscheduler")
    drop("b.py", name="dask")
    drop("c.py", name="daskscheduler")
    factory = scan()
    assert factory.scheduler("slurm").name == "slurmscheduler"
    assert factory.scheduler("dask").name == "dask"


def test_the_order_is_that_of_the_path_then_of_the_file_names(drop: Drop, scan: Scan) -> None:
    drop("z.py", folder="second", name="farm")
    drop("b.py", folder="first", name="farm")
    drop("a.py", folder="first", name="other")
    factory = scan("first", "second")
    winner = factory.scheduler("farm")
    assert winner.origin.path.endswith("first/b.py")
    loser = next(record for record in factory.records if record.origin.path.endswith("second/z.py"))
    assert (loser.state, loser.shadowed_by) == (State.SHADOWED, winner)
    assert winner.shadows == [loser]
    (problem,) = [each for each in factory.problems if each.code == "duplicate-name"]
    assert "first/b.py" in problem.message
    assert "second/z.py" in problem.message


def test_a_user_file_goes_before_a_built_in_without_a_warning(drop: Drop, scan: Scan) -> None:
    path = drop("mine.py", name="localscheduler")
    factory = scan(builtins=True)
    assert factory.scheduler("localscheduler").origin.path == str(path)
    assert factory.problems == []


def test_a_broken_override_does_not_serve_but_it_is_said(drop: Drop, scan: Scan) -> None:
    drop(
        "mine.py", "class L:\n  def onTick(self): ...\ndef registerTypes(r): r.registerScheduler(L, 'localscheduler')\n"
    )
    factory = scan(builtins=True)
    assert str(factory.scheduler("local").origin) == "built-in"
    assert [problem.code for problem in factory.problems] == ["broken-override"]


def test_packages_subdirectories_and_helpers(drop: Drop, scan: Scan) -> None:
    drop("pack/__init__.py", "from .core import Farm\nfrom pack.names import LABEL\nimport pack.names\n"
         "def registerTypes(r):\n    assert pack.names.LABEL == LABEL\n    r.registerScheduler(Farm, label=LABEL)\n")  # fmt: skip
    drop("pack/core.py", "from pdg.scheduler import PyScheduler\nclass Farm(PyScheduler):\n"
         "    def onSchedule(self, work_item):\n        from . import late\n        return late.ANSWER\n")  # fmt: skip
    drop("pack/names.py", "LABEL = 'Pack'\n")
    drop("pack/late.py", "ANSWER = True\n")
    drop("sub/deep.py")
    drop("sub/deeper/too_deep.py")
    drop("helper.py", "X = 1\n")
    drop("base.py", "from pdg.scheduler import PyScheduler\nclass Studio(PyScheduler):\n    pass\n")
    factory = scan()
    records = by_name(factory)
    assert set(records) == {"farm", "deep", "helper", "base"}
    assert records["farm"].label == "Pack"
    assert records["helper"].state is records["base"].state is State.SKIPPED
    assert "class Studio but no registerTypes" in records["base"].reason
    assert factory.load(records["farm"]).onSchedule(None, None) is True  # type: ignore[attr-defined]
    assert "pack" not in sys.modules


def test_an_entry_may_be_a_single_file(drop: Drop, scan: Scan) -> None:
    drop("other.py")
    path = drop("mine.py")
    assert [record.origin.path for record in scan("types/mine.py").records] == [str(path)]


def test_a_file_that_is_named_itself_is_executed_whatever_its_text(drop: Drop, scan: Scan) -> None:
    drop("torn.py", "class Farm(PyScheduler):\n    def onSchedule(self")
    drop("helper.py", "from pdg.scheduler import PyScheduler\nclass Studio(PyScheduler): ...\n")
    assert {name: record.state for name, record in by_name(scan()).items()}["helper"] is State.SKIPPED
    assert only(scan("types/torn.py")).problems[0].code == "syntax-error"
    assert only(scan("types/helper.py")).reason == "it has the class Studio but no registerTypes(type_registry)"


def test_a_file_may_ask_for_the_registry_while_it_is_executed(drop: Drop, scan: Scan) -> None:
    text = drop("x.py").read_text(encoding="utf-8")
    drop("x.py", text.replace("def registerTypes", "TYPES = pdg.TypeRegistry.types()\ndef registerTypes"))
    factory = scan()
    assert sys.modules[only(factory).module].TYPES is factory.registry


def test_a_missing_entry_is_a_problem_and_no_more(drop: Drop, scan: Scan) -> None:
    drop("mine.py")
    factory = scan("nowhere", "types")
    assert [problem.code for problem in factory.problems] == ["path-missing"]
    assert factory.scheduler("mine")


RUDE = "class E(BaseException):\n  def __str__(self): raise E\nraise E\nregisterTypes = 1\n"
METACLASS = """
class M(type):
    def __getattribute__(cls, name): raise OSError(name)
class C(metaclass=M): ...
def registerTypes(r): r.registerScheduler(C)
"""
BAD = {
    "syntax error": ("x = (\ndef registerTypes(r): ...\n", "failed", "syntax-error", 1),
    "python 2": ("print 'x'\ndef registerTypes(r): ...\n", "failed", "python-2", 1),
    "missing module": ("\nimport no_such_farm\ndef registerTypes(r): ...\n", "failed", "missing-module", 2),
    "mistyped module": ("import jsonn\ndef registerTypes(r): ...\n", "failed", "missing-module", 1),
    "houdini": ("import hou\ndef registerTypes(r): ...\n", "failed", "needs-houdini", 1),
    "exit": ("import sys\nsys.exit(3)\ndef registerTypes(r): ...\n", "failed", "exits", 2),
    "raises": ("1/0\ndef registerTypes(r): ...\n", "failed", "raises", 1),
    "raises in the hook": ("def registerTypes(r):\n    raise RuntimeError('no farm')\n", "failed", "raises", 2),
    "base exception": (RUDE, "failed", "raises", 3),
    "no arguments": ("def registerTypes(): ...\n", "failed", "hook-arguments", 1),
    "async hook": ("async def registerTypes(r): ...\n", "failed", "hook-async", 1),
    "registers nothing": ("def registerTypes(r): ...\n", "invalid", "registers-nothing", None),
    "no class": ("def registerTypes(r): r.registerScheduler(object())\n", "invalid", "not-a-class", None),
    "null bytes": ("x = 1\0\ndef registerTypes(r): ...\n", "failed", None, None),
    "odd encoding": ("# coding: no-such-codec\ndef registerTypes(r): ...\n", "failed", "encoding", 1),
    "deep nesting": ("x = " + "(" * 3000 + ")" * 3000 + "\ndef registerTypes(r): ...\n", "failed", None, None),
    "changes directory": ("import os\nos.chdir('/')\n1/0\ndef registerTypes(r): ...\n", "failed", "raises", 3),
    "metaclass": (METACLASS, None, None, None),
}  # fmt: skip


@pytest.mark.parametrize("trait", BAD)
def test_a_bad_file_is_named_with_its_line_and_the_others_are_fine(drop: Drop, scan: Scan, trait: str) -> None:
    text, state, code, line = BAD[trait]
    path = drop("bad.py", text)
    drop("good.py")
    directory, before = os.getcwd(), list(sys.path)
    factory = scan()
    assert factory.scheduler("good").usable
    record = next(record for record in factory.records if record.origin.path == str(path))
    assert record.problems
    assert state is None or record.state.value == state
    assert code is None or record.problems[0].code == code
    assert line is None or record.problems[0].line == line
    assert record.problems[0].path == str(path)
    assert (os.getcwd(), sys.path) == (directory, before)
    left = [name for name, module in sys.modules.items() if getattr(module, "__file__", None) == str(path)]
    assert record.state is not State.FAILED or not left
    with pytest.raises(UnknownSchedulerError, match=r"bad") as caught:
        factory.scheduler("bad")
    assert str(path) in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_mutation_of_a_good_file_is_fatal_or_lost(drop: Drop, scan: Scan, data: st.DataObject) -> None:
    text = drop("mutated.py").read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 40))
    new = data.draw(st.text(max_size=6))
    drop("mutated.py", text[:at] + new + text[at + cut :])
    factory = scan()
    assert len(factory.records) == 1
    assert only(factory).usable or only(factory).why_not()


def test_what_was_registered_before_the_hook_raised_is_taken_back(drop: Drop, scan: Scan) -> None:
    good = drop("farm.py").read_text(encoding="utf-8")
    drop("farm.py", good + "    type_registry.addTag('file/half')\n    raise RuntimeError('half way')\n")
    factory = scan()
    assert only(factory).state is State.FAILED
    assert "file/half" not in factory.registry.tags


def test_two_classes_of_one_name_in_a_file_are_told_apart_and_the_same_class_twice_is_one(
    drop: Drop, scan: Scan
) -> None:
    text = drop("farm.py").read_text(encoding="utf-8")
    drop("farm.py", text + "    type_registry.registerScheduler(Farm)\n")
    assert only(scan()).state is State.OK
    drop("farm.py", text + "    class Other(Farm): pass\n    type_registry.registerScheduler(Other)\n")
    first, second = scan().records
    assert first.state is State.OK
    assert (second.state, second.problems[0].code) == (State.INVALID, "registered-twice")


def test_a_file_called_as_a_standard_module_does_not_become_it(drop: Drop, scan: Scan) -> None:
    drop(
        "logging.py",
        "import logging\nassert hasattr(logging, 'getLogger')\n" + drop("x.py").read_text(encoding="utf-8"),
    )
    factory = scan()
    assert [record.state for record in factory.records].count(State.OK) == 1
    assert sys.modules["logging"] is logging


def test_each_directory_has_its_own_helper_and_an_edit_within_the_second_counts(drop: Drop, scan: Scan) -> None:
    text = "import helper\nfrom helper import LABEL\n" + drop("x.py", folder="one").read_text(encoding="utf-8")
    for folder in ("one", "two"):
        drop("x.py", text.replace('label="X"', "label=helper.LABEL"), folder=folder, name=folder)
        drop("helper.py", f"LABEL = '{folder}'\n", folder=folder)
    labels = [record.label for record in scan("one", "two").records if record.state is not State.SKIPPED]
    assert labels == ["one", "two"]
    drop("helper.py", "LABEL = 'new'\n", folder="one")
    assert [record.label for record in scan("one").records if record.state is not State.SKIPPED] == ["new"]
    assert "helper" not in sys.modules


def test_a_directory_that_a_file_puts_first_on_the_path_goes_to_its_end(drop: Drop, scan: Scan) -> None:
    text = drop("x.py").read_text(encoding="utf-8")
    path = drop("x.py", "import os, sys\nsys.path.insert(0, os.path.dirname(__file__))\n" + text)
    before = list(sys.path)
    try:
        scan()
        assert sys.path == [*before, str(path.parent)]
    finally:
        sys.path[:] = before


def test_prints_at_import_stay_away_from_our_output(drop: Drop, scan: Scan, capfd: pytest.CaptureFixture[str]) -> None:
    text = "import logging, os, sys\nprint('one')\nos.system('echo two')\nprint('three', file=sys.stderr)\n"
    text += "HANDLER = logging.StreamHandler()\n" + drop("x.py").read_text(encoding="utf-8")
    drop("x.py", text)
    factory = scan()
    assert capfd.readouterr() == ("", "")
    handler = sys.modules[only(factory).module].HANDLER
    handler.emit(logging.LogRecord("farm", logging.INFO, "", 1, "later", (), None))
    assert capfd.readouterr().err == "later\n"


def test_a_traceback_quotes_the_version_that_ran(drop: Drop, scan: Scan) -> None:
    path = drop("x.py")
    record = only(scan())
    path.write_text("# quite another text\n", encoding="utf-8")
    import inspect

    assert record.type_object is not None
    assert "class Farm(PyScheduler)" in inspect.getsource(record.type_object)


def test_a_name_nobody_has_is_answered_with_close_ones_and_where_was_looked(
    drop: Drop, scan: Scan, tmp_path: Path
) -> None:
    drop("slurm.py", name="slurmscheduler")
    with pytest.raises(UnknownSchedulerError) as caught:
        scan().scheduler("slrum")
    text = str(caught.value)
    assert text.startswith('unknown scheduler "slrum"')
    assert 'did you mean "slurmscheduler"?' in text
    assert str(tmp_path / "types") in text
    assert "topcook list --all" in text
    with pytest.raises(UnknownTypeError, match='unknown node type "wegde"'):
        scan().node_type("wegde")


def test_a_broken_file_answers_to_every_name_it_might_have_given(drop: Drop, scan: Scan) -> None:
    text = drop("broken.py", name="renderfarm", cls="GreatScheduler").read_text(encoding="utf-8")
    drop("broken.py", "import no_such_client\n" + text)
    factory = scan()
    for asked in ("broken", "renderfarm", "greatscheduler", "great"):
        with pytest.raises(UnknownSchedulerError) as caught:
            factory.scheduler(asked)
        assert f'scheduler "{asked}" cannot be used' in str(caught.value)
        assert 'there is no module "no_such_client"' in str(caught.value)


def test_an_invalid_type_cannot_be_loaded(drop: Drop, scan: Scan) -> None:
    drop("x.py", "class X:\n  def onSchedul(self, w): ...\ndef registerTypes(r): r.registerScheduler(X)\n")
    factory = scan()
    with pytest.raises(SchedulerContractError, match="onSchedule"):
        factory.load(only(factory))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_among_the_files_keeps_nobody_waiting(drop: Drop, scan: Scan) -> None:
    here = drop("good.py").parent
    os.mkfifo(here / "pipe.py")
    records = by_name(scan())
    assert records["good"].state is State.OK
    assert "no regular file" in records["pipe"].reason


def test_files_are_examined_in_workers_and_join_nothing(drop: Drop, tmp_path: Path) -> None:
    good, bad = drop("good.py"), drop("bad.py", "import os\nos._exit(3)\ndef registerTypes(r): ...\n")
    helper = drop("helper.py", "X = 1\n")
    factory = Factory([])
    records = {record.name: record for record in factory.examine([str(good), str(bad), str(helper)])}
    assert {name: record.state for name, record in records.items()} == {
        "good": State.OK,
        "bad": State.FAILED,
        "helper": State.SKIPPED,
    }
    assert factory.records == []
    assert factory.load(records["good"]).__name__ == "Farm"
    assert factory.examine([str(tmp_path / "nowhere.py")]) == []
