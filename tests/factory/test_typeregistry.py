from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path

import pytest

import pdg
from topcook.errors import SchedulerContractError
from topcook.factory import Factory, State, TypeRegistry

Drop = Callable[..., Path]
Scan = Callable[..., Factory]


class Mine(pdg.PyScheduler):
    def onSchedule(self, work_item: object) -> bool:
        return True


def test_types_gives_the_registry_of_the_current_context(scan: Scan) -> None:
    one, two = scan(), scan()
    with one.current():
        assert pdg.TypeRegistry.types() is one.registry
        with two.current():
            assert TypeRegistry.types() is two.registry
        assert TypeRegistry.types() is one.registry


def test_a_copied_context_carries_the_registry_into_a_thread(scan: Scan) -> None:
    factory, seen = scan(), []
    with factory.current():
        context = copy_context()
    thread = threading.Thread(target=context.run, args=(lambda: seen.append(TypeRegistry.types()),))
    thread.start()
    thread.join()
    assert seen == [factory.registry]


def test_lookup_ignores_case_and_gives_the_class_behind(drop: Drop, scan: Scan) -> None:
    drop("x.py", name="Farm")
    registry = scan().registry
    found = registry.registeredType(pdg.registeredType.Scheduler, "FARM")
    assert found is not None
    assert (found.typeName, found.typeLabel, found.language) == ("Farm", "X", pdg.language.Python)
    assert found.typeObject.__name__ == "Farm"
    assert registry.registeredType(pdg.registeredType.Node, "farm") is None
    assert registry.registeredType(pdg.registeredType.Service, "farm") is None
    assert registry.typeNames(pdg.registeredType.Scheduler) == ["Farm"]


def test_every_form_of_registering_a_scheduler_in_the_field_works(drop: Drop, scan: Scan) -> None:
    text = drop("x.py").read_text(encoding="utf-8").partition("def registerTypes")[0]
    text += (
        "class Second(Farm): pass\nclass Third(Farm): pass\n"
        "def registerTypes(*args):\n"
        "    made = args[0].registerScheduler(Farm)\n"
        "    assert (made.typeName, made.parm_category) == ('x', '')\n"
        "    args[0].registerScheduler(Second, name='second', label='Second One', parm_category='Cloud')\n"
        "    args[0].registerScheduler(Third, 'third', 'Third')\n"
    )
    drop("x.py", text)
    records = {record.name: record for record in scan().records}
    assert {name: record.label for name, record in records.items()} == {
        "x": "X",
        "second": "Second One",
        "third": "Third",
    }
    assert records["second"].parm_category == "Cloud"


def test_a_program_registers_a_type_of_its_own_which_goes_before_all_others(drop: Drop, scan: Scan) -> None:
    drop("x.py", name="mine")
    factory = scan()
    handle = factory.registry.registerScheduler(Mine)
    assert handle.typeName == "mine"
    record = factory.scheduler("mine")
    assert record.type_object is Mine
    assert record.origin.tier.value == "program"
    assert [each.state for each in factory.records] == [State.OK, State.SHADOWED]
    with pytest.raises(SchedulerContractError, match="onSchedule"):
        factory.registry.registerScheduler(type("Nothing", (pdg.PyScheduler,), {}))


def test_a_directory_added_by_a_program_comes_after_the_types_path(drop: Drop, scan: Scan, tmp_path: Path) -> None:
    drop("a.py", name="farm")
    drop("b.py", folder="more", name="farm")
    drop("c.py", folder="more", name="other")
    factory = scan()
    assert factory.registry.registerPythonPath(str(tmp_path / "more"), True)
    assert not factory.registry.registerPythonPath(str(tmp_path / "nowhere"))
    assert factory.scheduler("farm").origin.path.endswith("a.py")
    assert factory.scheduler("other").origin.path.endswith("c.py")


def test_reload_serves_a_good_edit_and_keeps_the_last_good_version_of_a_broken_one(drop: Drop, scan: Scan) -> None:
    path = drop("x.py")
    factory = scan()
    old = factory.scheduler("x").type_object
    handle = factory.registry.registeredType(pdg.registeredType.Scheduler, "x")
    assert handle is not None
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("CookSucceeded", "CookFailed   "), encoding="utf-8")
    assert handle.reload()
    new = factory.scheduler("x").type_object
    assert new is not None
    assert new is not old
    assert new.onSchedule(None, None) is pdg.scheduleResult.CookFailed  # type: ignore[attr-defined]
    path.write_text("import nothing_like_it\n" + text, encoding="utf-8")
    assert not handle.reload()
    assert factory.scheduler("x").type_object is new


def test_module_types_can_be_registered_by_hand(scan: Scan) -> None:
    from types import ModuleType

    factory, module = scan(), ModuleType("by_hand")
    with pytest.raises(AttributeError, match="registerTypes"):
        factory.registry.registerModuleTypes(module)
    assert factory.registry.registerModuleTypes(module, quiet=True) is False
    module.registerTypes = lambda registry: registry.registerScheduler(Mine)  # type: ignore[attr-defined]
    assert factory.registry.registerModuleTypes(module)
    assert factory.scheduler("mine").usable


def test_tags_go_by_extension_and_viewers_by_the_nearest_tag(scan: Scan) -> None:
    registry = scan().registry
    assert registry.extToTag("png") == registry.pathToTag("/a/b.PNG") == "file/image"
    assert registry.pathToTag("/a/b.bgeo.sc") == "file/geo"
    assert registry.pathToTag("/a/b.unheard") == "file"
    registry.addExtensionTag("foo", "file/geo/foo")
    registry.addTagViewer("file/geo", "gplay")
    assert registry.pathToViewer("x.foo") == "gplay"
    assert registry.pathToViewer("x.png") == ""
    assert "file/geo/foo" in registry.filteredTags("file/geo")


def test_what_only_houdini_can_do_says_so(scan: Scan) -> None:
    with pytest.raises(NotImplementedError, match="Houdini"):
        scan().registry.registerDSOTypes("/x.so")


def test_what_another_thread_registers_meanwhile_is_not_the_modules(scan: Scan) -> None:
    factory = scan()
    with factory.registry.collecting() as collected:
        thread = threading.Thread(target=factory.registry.registerScheduler, args=(Mine,))
        thread.start()
        thread.join()
    assert collected == []
    assert factory.scheduler("mine").type_object is Mine
