"""The sealed index of a shared directory: who may believe it, and what of it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from topcook.factory import Factory, State
from topcook.factory.index import Index
from topcook.factory.index.database import Database
from topcook.factory.index.place import SITE_NAME
from topcook.factory.index.rows import SCHEMA
from topcook.factory.index.site import SiteIndexError, build_site

Drop = Callable[..., Path]


class Probed(Exception):
    """Somebody wanted to execute a file."""


class Nobody:
    """Executes nothing: whatever is not known is an error."""

    def probe(self, candidates: list[object], _done: object, deadline: float | None = None) -> list[object]:
        del deadline
        raise Probed([getattr(each, "stem", each) for each in candidates])

    def close(self) -> None:
        """Nothing was started."""


def scanned(folder: Path) -> Factory:
    """The types of a folder as a user finds them who was never there."""
    index = Index(Database(str(folder.parent / "cache" / "user.sqlite3"), SCHEMA), "a user's")
    factory = Factory([], prober=Nobody(), index=index)  # type: ignore[arg-type]
    factory.add_path(str(folder))
    return factory


@pytest.fixture
def site(drop: Drop) -> Path:
    folder = drop("farm.py", "import helper\n" + drop("farm.py").read_text(encoding="utf-8")).parent
    drop("helper.py", "X = 1\n")
    drop("sub/deep.py", "1/0\ndef registerTypes(r): ...\n")
    for path in folder.rglob("*.py"):
        os.utime(path, (1e9, 1e9))
    build_site(str(folder), {})
    return folder


def test_a_user_who_was_never_there_executes_nothing(site: Path) -> None:
    factory = scanned(site)
    assert {record.name: record.state for record in factory.records} == {
        "farm": State.OK,
        "helper": State.SKIPPED,
        "deep": State.FAILED,
    }
    assert factory.load(factory.scheduler("farm")).__name__ == "Farm"
    assert sorted(each.name for each in site.iterdir()) == [SITE_NAME, "farm.py", "helper.py", "sub"]


def test_it_holds_where_the_directory_is_called_otherwise(site: Path) -> None:
    elsewhere = site.parent / "mounted here"
    shutil.copytree(site, elsewhere)
    assert scanned(elsewhere).scheduler("farm").origin.path == str(elsewhere / "farm.py")


def test_a_file_that_changed_is_not_believed(site: Path, drop: Drop) -> None:
    drop("farm.py", label="Another")
    with pytest.raises(Probed, match="farm"):
        scanned(site)


def test_a_helper_that_changed_is_not_believed(site: Path, drop: Drop) -> None:
    drop("helper.py", "X = 2\n")
    with pytest.raises(Probed, match="farm"):
        scanned(site)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners here")
def test_an_index_that_others_may_write_is_not_believed(site: Path) -> None:
    (site / SITE_NAME).chmod(0o666)
    index = Index(Database(str(site.parent / "user.sqlite3"), SCHEMA), "a user's")
    from topcook.factory.sources import Rules
    from topcook.factory.trust import trust_of

    factory = Factory([], prober=Nobody(), index=index)  # type: ignore[arg-type]
    factory._rules = Rules(trust_of(None, []))
    with pytest.raises(Probed):
        factory.add_path(str(site))


def test_who_has_other_modules_installed_does_not_believe_it(
    drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "try:\n    import client_of_theirs\nexcept ImportError:\n    pass\n"
    folder = drop("farm.py", text + drop("farm.py").read_text(encoding="utf-8")).parent
    build_site(str(folder), {})
    assert scanned(folder).scheduler("farm")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "client_of_theirs.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(Probed):
        scanned(folder)
    sys.modules.pop("client_of_theirs", None)


def test_building_again_probes_again(site: Path, drop: Drop) -> None:
    drop("farm.py", label="Another")
    build_site(str(site), {})
    assert scanned(site).scheduler("farm").label == "Another"


def test_a_directory_that_cannot_be_written_to_is_said(drop: Drop) -> None:
    folder = drop("farm.py").parent
    (folder / f"{SITE_NAME}").mkdir()
    with pytest.raises(SiteIndexError, match="no index was made"):
        build_site(str(folder), {})
    assert sorted(each.name for each in folder.iterdir()) == [SITE_NAME, "farm.py"]


def test_damage_costs_time_only(site: Path) -> None:
    (site / SITE_NAME).write_bytes(b"nothing" * 5000)
    with pytest.raises(Probed):
        scanned(site)
