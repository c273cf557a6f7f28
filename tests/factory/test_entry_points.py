from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from topcook.factory import Factory, State
from topcook.factory.distributions import installed_entries

Drop = Callable[..., Path]
Site = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A folder of installed distributions: each a module with an entry point of group ``pdg.types``."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    modules = set(sys.modules)

    def install(name: str, text: str, attribute: str = "") -> None:
        module = name.replace("-", "_")
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
        info = folder / f"{module}-1.2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[pdg.types]\n{name} = {module}{attribute}\n", encoding="utf-8")

    yield install
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_an_installed_distribution_is_between_the_types_path_and_the_built_ins(
    site: Callable[..., None], drop: Drop, tmp_path: Path
) -> None:
    text = drop("x.py", folder="made", name="farm").read_text(encoding="utf-8")
    site("topcook-farm", text)
    site("topcook-local", text.replace('"farm"', '"localscheduler"'), ":registerTypes")
    site("topcook-broken", "import no_such_client\n")
    drop("mine.py", name="farm")
    factory = Factory.scan({"PDG_TYPES_PATH": str(tmp_path / "types")})
    assert factory.scheduler("farm").origin.path.endswith("mine.py")
    assert str(factory.scheduler("local").origin) == "topcook-local 1.2.0 (pip)"
    assert factory.scheduler("local").content_hash == "1.2.0"
    broken = next(record for record in factory.records if record.origin.distribution == "topcook-broken")
    assert broken.state is State.FAILED
    assert "no_such_client" in broken.why_not()
    assert factory.problems == []


class Kept(dict[str, bytes]):
    """A cache that counts."""

    def put(self, key: str, value: bytes) -> None:
        self[key] = value


def names(cache: Kept | None = None) -> list[str]:
    return [each.name for each in installed_entries(cache)[0]]


def test_broken_metadata_hides_nothing_but_itself(site: Site, tmp_path: Path) -> None:
    site("topcook-good", "def registerTypes(r): ...\n")
    site("topcook-torn", "def registerTypes(r): ...\n")
    torn = tmp_path / "site" / "topcook_torn-1.2.0.dist-info" / "entry_points.txt"
    torn.write_bytes(b"[pdg.types]\n\xff\xfe broken\n")
    found, problems = installed_entries()
    assert [each.name for each in found] == ["topcook-good"]
    (problem,) = problems
    assert "topcook_torn-1.2.0.dist-info" in problem.message
    assert problem.hint


def test_a_distribution_without_readable_metadata_still_gives_its_types(site: Site, tmp_path: Path) -> None:
    site("topcook-farm", "def registerTypes(r): ...\n")
    (tmp_path / "site" / "topcook_farm-1.2.0.dist-info" / "METADATA").unlink()
    (entry,) = installed_entries()[0]
    assert (entry.name, entry.value) == ("topcook-farm", "topcook_farm")


def test_of_a_distribution_that_is_installed_twice_the_first_on_the_path_counts(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site("topcook-farm", "def registerTypes(r): ...\n")
    newer = tmp_path / "newer" / "Topcook_Farm-2.0.dist-info"
    newer.mkdir(parents=True)
    (newer / "METADATA").write_text("Metadata-Version: 2.1\nName: Topcook.Farm\nVersion: 2.0\n", encoding="utf-8")
    (newer / "entry_points.txt").write_text("[pdg.types]\nnew = topcook_farm\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(newer.parent))
    assert [(each.name, each.version) for each in installed_entries()[0]] == [("new", "2.0")]


def test_an_entry_point_that_names_no_module_is_listed_as_failed(site: Site) -> None:
    site("topcook-odd", "def registerTypes(r): ...\n", " and more")
    factory = Factory.scan({})
    record = next(record for record in factory.records if record.origin.distribution == "topcook-odd")
    assert (record.state, record.problems[0].code) == (State.FAILED, "entry-point-value")
    assert record.problems[0].hint


FARM = """\
import pdg

class Farm(pdg.PyScheduler):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.Succeeded
"""
REGISTERING = "\ndef registerTypes(registry):\n    registry.registerScheduler(Farm)\n"


@pytest.mark.parametrize(
    ("attribute", "message", "hint"),
    [
        (
            ".scheduler",
            'the entry point names the module "topcook_farm.scheduler", which is not there',
            "install the distribution again",
        ),
        (
            ":registerType",
            'the entry point names "registerType", and there is no "topcook_farm.registerType"',
            'did you mean "topcook_farm:registerTypes"?',
        ),
        (
            ":Farm",
            "the entry point leads to no registerTypes(type_registry), and registers nothing",
            'name the module that has registerTypes(type_registry): topcook-farm = "topcook_farm"',
        ),
    ],
)
def test_an_entry_point_that_leads_to_no_types_is_failed_not_a_helper(
    site: Site, attribute: str, message: str, hint: str
) -> None:
    site("topcook-farm", FARM + REGISTERING, attribute)
    factory = Factory.scan({})
    record = next(record for record in factory.records if record.origin.distribution == "topcook-farm")
    assert record.state is State.FAILED
    (problem,) = record.problems
    assert (problem.code, problem.message) == ("entry-point-target", message)
    assert (problem.path, problem.line) == (f"topcook_farm{attribute}", None)
    assert hint in (problem.hint or "")


def test_what_an_installed_module_raises_is_placed_in_its_own_files(site: Site, tmp_path: Path) -> None:
    site("topcook-farm", "import json\n\njson.loads('{')\n")
    factory = Factory.scan({})
    record = next(record for record in factory.records if record.origin.distribution == "topcook-farm")
    assert (record.problems[0].path, record.problems[0].line) == (str(tmp_path / "site" / "topcook_farm.py"), 3)


def test_a_module_that_registers_while_it_is_imported_needs_no_hook(site: Site) -> None:
    site("topcook-farm", FARM + "\npdg.TypeRegistry.types().registerScheduler(Farm)\n")
    assert str(Factory.scan({}).scheduler("farm").origin) == "topcook-farm 1.2.0 (pip)"


def test_a_blocked_distribution_is_not_imported(site: Site, tmp_path: Path) -> None:
    site("topcook-farm", "import sys\nsys.blocked_was_imported = True\n")
    (tmp_path / "site.toml").write_text('[[block]]\ndistribution = "Topcook_Farm"\nreason = "old"\n', encoding="utf-8")
    factory = Factory.scan({"TOPCOOK_CONFIG": str(tmp_path / "site.toml")})
    record = next(record for record in factory.records if record.origin.distribution == "topcook-farm")
    assert (record.state, record.reason) == (State.DISABLED, f"old (site configuration {tmp_path}/site.toml:1)")
    assert not hasattr(sys, "blocked_was_imported")


def test_an_unchanged_start_reads_no_metadata(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site("topcook-farm", "def registerTypes(r): ...\n")
    cache = Kept()
    assert names(cache) == ["topcook-farm"]
    with monkeypatch.context() as patch:
        patch.setattr("topcook.factory.distributions._enumerated", lambda _: pytest.fail("it is searched again"))
        assert names(cache) == ["topcook-farm"]
    site("topcook-more", "def registerTypes(r): ...\n")
    assert names(cache) == ["topcook-farm", "topcook-more"]
    shutil.rmtree(tmp_path / "site" / "topcook_farm-1.2.0.dist-info")
    assert names(cache) == ["topcook-more"]


@pytest.mark.parametrize("blob", [b"", b"{", b"[]", b'[1, "x", 3, 4]', b"\xff", b"null"])
def test_a_kept_result_that_is_none_is_made_anew(site: Site, blob: bytes) -> None:
    site("topcook-farm", "def registerTypes(r): ...\n")
    assert names(Kept({"entry-points": blob})) == ["topcook-farm"]


def test_problems_are_kept_too(site: Site, tmp_path: Path) -> None:
    site("topcook-torn", "")
    (tmp_path / "site" / "topcook_torn-1.2.0.dist-info" / "entry_points.txt").write_bytes(b"\xff pdg.types")
    cache = Kept()
    assert installed_entries(cache)[1] == installed_entries(cache)[1] != []
