"""Executing a types module in the host: from the bytes that were probed, once per version, and only when it is used."""

from __future__ import annotations

import linecache
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import pdg
from topcook.errors import SchedulerContractError
from topcook.factory import Factory, Record, State
from topcook.factory.bundles import named, read_bundle
from topcook.factory.probing import InProcessProber
from topcook.factory.probing.prober import Done
from topcook.factory.sources import Candidate

Drop = Callable[..., Path]
Scan = Callable[..., Factory]

LAZY = """
import pdg
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    def onSchedule(self, work_item):
        import helper
        return helper.ANSWER

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, "farm")
"""


class Elsewhere:
    """Probes as a worker would: its reports carry plain data and bytes, no classes."""

    def __init__(self) -> None:
        self.probed: list[str] = []

    def probe(self, candidates: list[Candidate], done: Done, deadline: float | None = None) -> list[Candidate]:
        self.probed += [each.stem for each in candidates]

        def stripped(candidate: Candidate, report: object) -> None:
            report.live = []  # type: ignore[attr-defined]
            done(candidate, report)  # type: ignore[arg-type]

        return InProcessProber(Factory([]).registry).probe(candidates, stripped, deadline)

    def close(self) -> None:
        """Nothing was started."""


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Factory]:
    """A factory whose files were probed elsewhere."""

    def make() -> Factory:
        factory = Factory([], prober=Elsewhere())  # type: ignore[arg-type]
        factory.add_path(str(tmp_path / "types"))
        return factory

    return make


def record_of(factory: Factory, name: str) -> Record:
    return next(record for record in factory.records if record.name == name)


def test_a_probe_elsewhere_leaves_no_class_here_and_load_gives_it(drop: Drop, found: Callable[[], Factory]) -> None:
    drop("myfarm.py")
    factory = found()
    record = factory.scheduler("myfarm")
    assert record.type_object is None
    cls = factory.load(record)
    assert issubclass(cls, pdg.PyScheduler)
    assert factory.load(record) is cls
    handle = factory.registry.registeredType(pdg.registeredType.Scheduler, "myfarm")
    assert handle is not None
    assert handle.typeObject is cls


def test_the_version_that_was_probed_is_executed_whatever_the_file_says_now(
    drop: Drop, found: Callable[[], Factory]
) -> None:
    path = drop("myfarm.py", cls="Old")
    factory = found()
    path.write_text("raise RuntimeError('new')\n", encoding="utf-8")
    cls = factory.load(factory.scheduler("myfarm"))
    assert cls.__name__ == "Old"
    assert "class Old" in "".join(linecache.getlines(str(path)))


def test_a_helper_that_is_imported_late_is_the_one_of_the_probe(drop: Drop, found: Callable[[], Factory]) -> None:
    drop("farm.py", LAZY)
    helper = drop("helper.py", "from deeper import ANSWER\n")
    deeper = drop("deeper.py", "ANSWER = 'old'\n")
    factory = found()
    cls = factory.load(factory.scheduler("farm"))
    helper.unlink()
    deeper.write_text("ANSWER = 'new'\n", encoding="utf-8")
    assert cls.onSchedule(None, None) == "old"  # type: ignore[attr-defined]
    assert "helper" not in sys.modules


def test_two_versions_each_keep_their_own_helpers(drop: Drop, found: Callable[[], Factory]) -> None:
    drop("farm.py", LAZY)
    drop("helper.py", "import deeper\nANSWER = deeper.ANSWER\n")
    deeper = drop("deeper.py", "ANSWER = 'one'\n")
    first = found()
    one = first.load(first.scheduler("farm"))
    deeper.write_text("ANSWER = 'two'\n", encoding="utf-8")
    second = found()
    two = second.load(second.scheduler("farm"))
    assert two.onSchedule(None, None) == "two"  # type: ignore[attr-defined]
    assert one.onSchedule(None, None) == "one"  # type: ignore[attr-defined]


def test_a_submodule_that_was_added_since_is_no_part_of_the_version(drop: Drop, found: Callable[[], Factory]) -> None:
    text = LAZY.replace("import helper", "from . import later").replace("helper.ANSWER", "later.ANSWER")
    drop("pack/__init__.py", text)
    drop("pack/inner/deep.py", "X = 1\n")
    factory = found()
    cls = factory.load(factory.scheduler("farm"))
    drop("pack/later.py", "ANSWER = True\n")
    with pytest.raises(ImportError, match="later"):
        cls.onSchedule(None, None)  # type: ignore[attr-defined]


def test_a_name_put_together_at_run_time_finds_its_helper_on_disk(drop: Drop, found: Callable[[], Factory]) -> None:
    drop("farm.py", LAZY.replace("import helper", "helper = __import__('hel' + 'per')"))
    drop("helper.py", "ANSWER = 42\n")
    factory = found()
    assert factory.load(factory.scheduler("farm")).onSchedule(None, None) == 42  # type: ignore[attr-defined]


def test_a_bundle_is_the_file_its_siblings_and_theirs_whenever_they_are_imported(drop: Drop) -> None:
    path = drop("farm.py", LAZY)
    drop("helper.py", "def f():\n    import deeper\n")
    drop("deeper.py", "X = 1\n")
    drop("unrelated.py", "X = 1\n")
    assert [Path(each).name for each in read_bundle(str(path)).closure(str(path))] == [
        "farm.py",
        "deeper.py",
        "helper.py",
    ]


def test_a_package_may_import_itself_and_its_parts_by_its_own_name(drop: Drop, found: Callable[[], Factory]) -> None:
    first = (
        "import kit\nfrom kit import part\nfrom kit.plain import leaf\nimport kit.part as again\nassert again is part\n"
    )
    text = first + LAZY.replace("import helper", "from kit import late as helper")
    drop("kit/__init__.py", text)
    drop("kit/part.py", "from kit import other\n")
    drop("kit/other.py", "")
    drop("kit/late.py", "ANSWER = 42\n")
    drop("kit/plain/leaf.py", "")
    factory = found()
    assert factory.load(factory.scheduler("farm")).onSchedule(None, None) == 42  # type: ignore[attr-defined]


def test_a_file_called_as_a_library_means_the_library_and_any_other_itself(
    drop: Drop, found: Callable[[], Factory]
) -> None:
    drop("json.py", "import json\njson.dumps\n" + LAZY.replace('"farm"', '"one"'))
    drop("click.py", "import click\nfrom click import echo\n" + LAZY.replace('"farm"', '"two"'))
    drop("farm.py", "import farm\nassert farm.__file__ == __file__\n" + LAZY)
    assert {each.name: each.state for each in found().records} == dict.fromkeys(("one", "two", "farm"), State.OK)


def test_files_that_all_import_each_other_are_each_looked_at_once(
    drop: Drop, found: Callable[[], Factory], monkeypatch: pytest.MonkeyPatch
) -> None:
    helpers = [f"part_{number}" for number in range(40)]
    for each in helpers:
        drop(f"{each}.py", "".join(f"import {other}\n" for other in helpers if other != each))
    drop("farm.py", "import part_0\n" + LAZY)
    looked: list[object] = []
    monkeypatch.setattr("topcook.factory.bundles.named", lambda code: looked.append(code) or named(code))
    assert found().scheduler("farm").usable
    assert len(looked) <= 2 * (len(helpers) + 1)


def test_bundles_of_the_same_files_are_the_same_version(drop: Drop) -> None:
    path = drop("farm.py", "import a, b, c, d, e\n")
    for name in "abcde":
        drop(f"{name}.py", f"X = '{name}'\n")
    assert len({read_bundle(str(path)).digest for _ in range(5)}) == 1
    before = read_bundle(str(path)).digest
    drop("e.py", "X = 'other'\n")
    assert read_bundle(str(path)).digest != before


def test_a_module_that_raises_when_it_is_used_is_a_failed_record_from_then_on(
    drop: Drop, found: Callable[[], Factory], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = drop("farm.py").read_text(encoding="utf-8")
    drop("farm.py", "import os\nif os.environ.get('COOKING'):\n    raise RuntimeError('no licence')\n" + text)
    factory = found()
    record = factory.scheduler("farm")
    monkeypatch.setenv("COOKING", "1")
    with pytest.raises(SchedulerContractError, match="no licence") as caught:
        factory.load(record)
    assert caught.value.problems[0].line == 3
    assert record.state is State.FAILED
    assert factory.find(record.kind, "farm") is None


def test_a_module_that_registers_other_types_than_its_probe_said_is_not_used(
    drop: Drop, found: Callable[[], Factory], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = drop("farm.py").read_text(encoding="utf-8")
    drop("farm.py", "import os\n" + text + "    if os.environ.get('COOKING'):\n"
         "        type_registry.registerScheduler(type('More', (Farm,), {}), 'more')\n")  # fmt: skip
    factory = found()
    monkeypatch.setenv("COOKING", "1")
    with pytest.raises(SchedulerContractError, match='"more"'):
        factory.load(factory.scheduler("farm"))


def test_threads_that_ask_at_once_get_one_class(drop: Drop, found: Callable[[], Factory]) -> None:
    drop("farm.py", "COUNT = []\nCOUNT.append(1)\n" + drop("farm.py").read_text(encoding="utf-8"))
    factory = found()
    record, begin = factory.scheduler("farm"), threading.Barrier(8)
    classes: list[type] = []

    def ask() -> None:
        begin.wait()
        classes.append(factory.load(record))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(classes)) == 1
    assert len(classes) == 8


def test_a_file_called_as_a_standard_module_is_loaded_beside_it(drop: Drop, found: Callable[[], Factory]) -> None:
    import logging

    drop("logging.py", "import logging\nlogging.getLogger('x')\n" + drop("x.py").read_text(encoding="utf-8"))
    factory = found()
    factory.load(next(record for record in factory.records if record.origin.path.endswith("logging.py")))
    assert sys.modules["logging"] is logging


def test_loading_writes_no_bytecode_beside_the_file(drop: Drop, found: Callable[[], Factory]) -> None:
    folder = drop("farm.py", LAZY).parent
    drop("helper.py", "ANSWER = 1\n")
    factory = found()
    factory.load(factory.scheduler("farm")).onSchedule(None, None)  # type: ignore[attr-defined]
    assert sorted(each.name for each in folder.iterdir()) == ["farm.py", "helper.py"]


def test_a_snapshot_keeps_names_and_versions(drop: Drop, found: Callable[[], Factory]) -> None:
    drop("farm.py", cls="Old")
    factory = found()
    snapshot = factory.snapshot()
    drop("farm.py", cls="New")
    assert factory.registry.registeredType(pdg.registeredType.Scheduler, "farm").reload()  # type: ignore[union-attr]
    assert factory.load(factory.scheduler("farm")).__name__ == "New"
    assert snapshot.load(snapshot.scheduler("farm")).__name__ == "Old"
    assert snapshot.registry is factory.registry
    assert snapshot.explain(snapshot.scheduler("farm").kind, "frm") == factory.explain(
        snapshot.scheduler("farm").kind, "frm"
    )
