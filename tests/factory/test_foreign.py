from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import topcook
from topcook.factory import check_pdg_is_ours

SOURCE = Path(topcook.__file__).parents[1]
ASK = "from topcook.factory.foreign import check_pdg_is_ours; check_pdg_is_ours(); print('ours')"


def ask(*path: Path) -> str:
    """What the check says in a fresh interpreter that finds packages in these folders."""
    search = os.pathsep.join([*map(str, path), sysconfig.get_path("purelib")])
    done = subprocess.run(
        [sys.executable, "-S", "-c", ASK], capture_output=True, text=True, check=False, env={"PYTHONPATH": search}
    )
    return done.stdout + done.stderr


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Topcook as pip would have left it, with a RECORD."""
    home = tmp_path / "site"
    for package in ("pdg", "topcook"):
        shutil.copytree(SOURCE / package, home / package, ignore=shutil.ignore_patterns("__pycache__"))
    rows = []
    for path in sorted((home / "pdg").rglob("*.py")):
        digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
        rows.append(f"{path.relative_to(home).as_posix()},sha256={digest},1\n")
    record = home / "topcook-0.1.0.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text("".join(rows), encoding="utf-8")
    return home


def test_our_own_is_ours(installed: Path) -> None:
    check_pdg_is_ours()
    assert ask(installed) == "ours\n"


def test_another_pdg_before_ours_is_refused_with_its_path(installed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "pdg" / "__init__.py"
    other.parent.mkdir(parents=True)
    other.write_text("", encoding="utf-8")
    said = ask(other.parents[1], installed)
    assert "ForeignPdgError" in said
    assert f"found {other}" in said


def test_a_package_written_over_ours_is_refused_with_the_distribution_that_owns_it(installed: Path) -> None:
    (installed / "pdg" / "__init__.py").write_text("'''Particle Data Group'''\n", encoding="utf-8")
    info = installed / "pdg-0.4.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pdg\nVersion: 0.4.0\n", encoding="utf-8")
    (info / "RECORD").write_text("pdg/__init__.py,,\n", encoding="utf-8")
    said = ask(installed)
    assert "ForeignPdgError" in said
    assert "of the distribution pdg 0.4.0" in said
    assert "pip uninstall pdg" in said


def test_one_changed_file_of_ours_is_enough(installed: Path) -> None:
    changed = installed / "pdg" / "scheduler.py"
    changed.write_text("# somebody else's\n", encoding="utf-8")
    said = ask(installed)
    assert f"found {changed}" in said


def test_a_loaded_foreign_pdg_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import ModuleType

    from topcook.errors import ForeignPdgError

    monkeypatch.setitem(sys.modules, "pdg", ModuleType("pdg"))
    with pytest.raises(ForeignPdgError, match="built into this program"):
        check_pdg_is_ours()
