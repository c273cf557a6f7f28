from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from topcook.cli.install import command as install
from topcook.cli.uninstall import command as uninstall
from topcook.errors import CookRefusedError, SchedulerContractError
from topcook.factory.typespath import user_types_dir
from topcook.scaffold import KINDS, new_scheduler, type_names

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of one's own, with the folder for types that follows from it."""
    for name in [name for name in os.environ if name.startswith(("XDG_", "PDG_", "TOPCOOK_", "HOUDINI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return Path(user_types_dir())


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def farm(path: Path, first: str = "") -> Path:
    text = new_scheduler(type_names(path.stem), KINDS["poll"])
    return write(path, text.replace("import itertools\n", f"import itertools\n{first}\n"))


def run(command: object, *words: str | Path) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])  # type: ignore[arg-type]


def test_a_file_is_found_by_its_name_after_install_and_by_nobody_after_uninstall(home: Path, tmp_path: Path) -> None:
    file = farm(tmp_path / "farm_a.py")
    done = run(install, file)
    assert done.exit_code == 0, done.output
    assert '"farm_a" is in the menu' in done.stderr
    assert (home / "farm_a.py").read_bytes() == file.read_bytes()
    if sys.platform != "win32":
        assert stat.S_IMODE((home / "farm_a.py").stat().st_mode) == 0o644
    gone = run(uninstall, "farm_a")
    assert gone.exit_code == 0, gone.output
    assert 'nothing answers to "farm_a" any more' in gone.stderr
    assert list(home.iterdir()) == []


def test_what_the_file_imports_goes_along_and_what_another_needs_too_stays(home: Path, tmp_path: Path) -> None:
    write(tmp_path / "shared_part.py", "X = 1\n")
    write(tmp_path / "own_part.py", "import shared_part\n")
    write(tmp_path / "kit" / "__init__.py", "")
    write(tmp_path / "kit" / "lazy.py", "Y = 2\n")
    first = farm(tmp_path / "farm_a.py", "import own_part\nfrom kit import lazy")
    second = farm(tmp_path / "farm_b.py", "import shared_part")
    assert run(install, first).exit_code == 0
    assert run(install, second).exit_code == 0
    found = sorted(str(path.relative_to(home)) for path in home.rglob("*.py"))
    assert found == ["farm_a.py", "farm_b.py", "kit/__init__.py", "kit/lazy.py", "own_part.py", "shared_part.py"]
    assert run(uninstall, "farm_a.py").exit_code == 0
    assert sorted(path.name for path in home.iterdir()) == ["farm_b.py", "shared_part.py"]


def test_a_package_is_installed_with_its_data(home: Path, tmp_path: Path) -> None:
    farm(tmp_path / "farm_c.py").rename(tmp_path / "text")
    write(tmp_path / "farm_c" / "__init__.py", (tmp_path / "text").read_text(encoding="utf-8"))
    write(tmp_path / "farm_c" / "sub" / "settings.json", "{}")
    write(tmp_path / "farm_c" / "__pycache__" / "old.pyc", "")
    done = run(install, tmp_path / "farm_c")
    assert done.exit_code == 0, done.output
    found = sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())
    assert found == ["farm_c/__init__.py", "farm_c/sub/settings.json"]
    assert run(uninstall, "farm_c").exit_code == 0
    assert list(home.rglob("*")) == []


def test_a_file_with_problems_is_refused_with_all_of_them_and_forced_when_asked(home: Path, tmp_path: Path) -> None:
    file = farm(tmp_path / "farm_d.py")
    file.write_text(file.read_text(encoding="utf-8").replace("def onSchedule(", "def onShedule("), encoding="utf-8")
    done = run(install, file)
    assert isinstance(done.exception, SchedulerContractError)
    assert {problem.code for problem in done.exception.problems} == {"missing-callback"}
    assert not home.exists()
    forced = run(install, file, "--force")
    assert forced.exit_code == 0, forced.output
    assert (home / "farm_d.py").exists()


def test_something_else_that_is_there_is_not_overwritten(home: Path, tmp_path: Path) -> None:
    file = farm(tmp_path / "farm_e.py", "import part")
    write(tmp_path / "part.py", "X = 1\n")
    write(home / "part.py", "X = 'another'\n")
    done = run(install, file)
    assert isinstance(done.exception, CookRefusedError)
    assert str(home / "part.py") in str(done.exception)
    assert sorted(path.name for path in home.iterdir()) == ["part.py"]
    assert run(install, file, "--force").exit_code == 0
    again = run(install, file)
    assert "there already, and the same" in again.output


def test_an_install_that_another_type_hides_says_so(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = farm(tmp_path / "mine" / "farm_f.py")
    winner = farm(tmp_path / "studio" / "farm_f.py")
    monkeypatch.setenv("PDG_TYPES_PATH", str(winner.parent))
    done = run(install, file)
    assert f'"farm_f" is answered by another: {winner}' in done.stderr
    assert (home / "farm_f.py").exists()


def test_a_site_folder_that_is_on_nobodys_path_is_said_to_be(home: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    done = run(install, farm(tmp_path / "farm_g.py"), "--site", site)
    assert done.exit_code == 0, done.output
    assert f"PDG_TYPES_PATH={site}" in done.stderr
    assert run(uninstall, "farm_g", "--site", site).exit_code == 0
    missing = run(install, tmp_path / "farm_g.py", "--site", tmp_path / "none")
    assert "mkdir -p" in str(missing.exception)
    assert not home.exists()


def test_what_is_not_there_or_not_ours_is_not_uninstalled(home: Path) -> None:
    assert "is called" in str(run(uninstall, "no_such_farm").exception)
    built_in = run(uninstall, "localscheduler")
    assert "it comes with Topcook" in str(built_in.exception)


@pytest.mark.parametrize("what", ["missing.py", "folder", "text.txt"])
def test_what_is_no_types_file_is_refused_with_the_reason(home: Path, tmp_path: Path, what: str) -> None:
    (tmp_path / "folder").mkdir()
    write(tmp_path / "text.txt", "")
    done = run(install, tmp_path / what)
    assert isinstance(done.exception, CookRefusedError)
    assert what in str(done.exception)


links = pytest.mark.skipif(sys.platform == "win32", reason="links are for administrators there")


@links
def test_of_a_package_that_is_a_link_the_link_goes(home: Path, tmp_path: Path) -> None:
    own = write(tmp_path / "work" / "farm_l" / "__init__.py", farm(tmp_path / "farm_l.py").read_text(encoding="utf-8"))
    data = write(own.parent / "settings.json", "{}")
    home.mkdir(parents=True)
    (home / "farm_l").symlink_to(own.parent)
    assert run(uninstall, "farm_l").exit_code == 0
    assert list(home.iterdir()) == []
    assert own.is_file()
    assert data.is_file()


@links
def test_of_a_file_that_is_a_link_the_link_goes_and_helpers_behind_links_stay(home: Path, tmp_path: Path) -> None:
    part = write(tmp_path / "work" / "kit" / "__init__.py", "X = 1\n")
    own = farm(tmp_path / "work" / "farm_l.py", "import kit")
    home.mkdir(parents=True)
    (home / "farm_l.py").symlink_to(own)
    (home / "kit").symlink_to(part.parent)
    done = run(uninstall, "farm_l")
    assert done.exit_code == 0, done.output
    assert [each.name for each in home.iterdir()] == ["kit"]
    assert own.is_file()
    assert part.is_file()


@links
def test_nothing_is_taken_out_of_a_folder_that_is_a_link(home: Path, tmp_path: Path) -> None:
    own = farm(tmp_path / "work" / "farm_l.py")
    home.mkdir(parents=True)
    (home / "sub").symlink_to(own.parent)
    with pytest.raises(CookRefusedError, match="is a link"):
        CliRunner().invoke(uninstall, ["farm_l"], catch_exceptions=False)
    assert own.is_file()


@links
def test_a_cache_that_is_a_link_is_not_emptied(home: Path, tmp_path: Path) -> None:
    kept = write(tmp_path / "elsewhere" / "precious.txt", "x")
    write(home / "farm_l" / "__init__.py", farm(tmp_path / "farm_l.py").read_text(encoding="utf-8"))
    (home / "farm_l" / "__pycache__").symlink_to(kept.parent)
    assert run(uninstall, "farm_l").exit_code == 0
    assert kept.is_file()


@pytest.mark.parametrize(
    "edit", ["import shared_part\ndef broken(:\n", "import shared_part\nimport no_such\ndef registerTypes(r): ...\n"]
)
def test_helpers_of_a_file_that_is_broken_today_stay(home: Path, edit: str) -> None:
    farm(home / "farm_a.py", "import shared_part")
    write(home / "shared_part.py", "X = 1\n")
    write(home / "farm_b.py", edit)
    assert run(uninstall, "farm_a").exit_code == 0
    assert sorted(path.name for path in home.iterdir() if path.suffix) == ["farm_b.py", "shared_part.py"]


def test_helpers_of_a_file_that_is_blocked_stay(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    farm(home / "farm_a.py", "import shared_part")
    farm(home / "farm_b.py", "import shared_part")
    write(home / "shared_part.py", "X = 1\n")
    monkeypatch.setenv("HOUDINI_PDG_TYPE_SKIPLIST", "farm_b")
    assert run(uninstall, "farm_a").exit_code == 0
    assert sorted(path.name for path in home.iterdir() if path.suffix) == ["farm_b.py", "shared_part.py"]


def test_a_name_means_a_file_before_a_type_before_a_class(home: Path) -> None:
    write(home / "a_slurm.py", "import no_such_client\nclass farm_a: ...\n")
    farm(home / "farm_a.py")
    assert run(uninstall, "farm_a").exit_code == 0
    assert [path.name for path in home.iterdir() if path.suffix] == ["a_slurm.py"]


def test_a_name_that_several_files_have_is_asked_back(home: Path) -> None:
    text = farm(home / "farm_a.py").read_text(encoding="utf-8")
    write(home / "one.py", text)
    (home / "farm_a.py").rename(home / "two.py")
    with pytest.raises(CookRefusedError, match=r"any of 2 files[^$]*uninstall one.py"):
        CliRunner().invoke(uninstall, ["farm_a"], catch_exceptions=False)
    assert len(list(home.glob("*.py"))) == 2


def test_a_file_that_ends_its_process_is_refused_and_ends_nobody_else(home: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "exits.py", "import os\nos._exit(0)\n")
    command = [sys.executable, "-m", "topcook", "install", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "os._exit" in done.stderr
    assert not home.exists()


def test_commands_to_type_are_quoted(home: Path, tmp_path: Path) -> None:
    del home
    site = tmp_path / "two words"
    site.mkdir()
    done = run(install, farm(tmp_path / "farm_a.py"), "--site", site)
    assert f"PDG_TYPES_PATH='{site}' topcook list" in done.stderr
