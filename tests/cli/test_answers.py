"""`topcook list` prints again what it printed, exactly as long as nothing has changed that had a say in it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="answers are kept on Linux")

GOOD = """
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    @classmethod
    def templateName(cls):
        return "{name}"

    def onSchedule(self, work_item):
        return True

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
"""
#: Runs the command, then says on standard error whether anything but the kept answer was needed.
AND_SAY_HOW = """
import sys
from topcook.cli import main
try:
    main(sys.argv[1:])
finally:
    print("repeated" if "click" not in sys.modules else "looked", file=sys.stderr)
"""


class Bench:
    """A home, a types directory and a project of one's own, all older than what counts as just changed."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.types = folder / "types"
        self.project = folder / "home" / "shots" / "010"
        for each in (self.home, self.types, self.project):
            each.mkdir(parents=True, exist_ok=True)
        self.more: dict[str, str] = {}
        self.write(self.types / "one.py", GOOD.format(name="farm_one"))

    def write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def settle(self) -> None:
        """Wait until what was written last is no longer so young that its stamp proves nothing."""
        newest = max(os.stat(each).st_ctime for each in [*self.types.rglob("*"), self.types, *self.home.rglob("*")])
        while time.time() < newest + 2.05:
            time.sleep(0.05)  # the age of a file is what is waited for

    def list(self, *words: str, **more: str) -> tuple[str, str, str]:
        """What is printed on both streams, and whether it was repeated."""
        environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environment |= {
            "HOME": str(self.home),
            "PDG_TYPES_PATH": str(self.types),
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.more,
            **more,
        }
        command = [sys.executable, "-c", AND_SAY_HOW, "list", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, cwd=self.project, timeout=60
        )
        lines = done.stderr.splitlines()
        assert done.returncode == 0, done.stderr
        return done.stdout, "\n".join(lines[:-1]), lines[-1]

    def kept(self) -> None:
        """List until the answer is kept."""
        self.settle()
        # Whoever works on Topcook itself meanwhile makes its files young, too.
        until(lambda: self.list()[2] == "repeated", "an answer that is kept")

    def answers(self) -> list[Path]:
        return sorted((self.home / ".cache" / "topcook" / "answers").iterdir())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_same_is_printed_without_looking_again(bench: Bench) -> None:
    bench.write(bench.types / "two.py", "def registerTypes(registry):\n    pass\n")
    bench.settle()
    first = bench.list()
    again = bench.list()
    assert again[2] == "repeated"
    assert again[:2] == first[:2]
    assert "farm_one" in again[0]
    assert "1 file with problems" in again[1]
    for words in (("--json",), ("farm_one",), ("--types", "nodes"), ("--all",)):
        assert bench.list(*words)[2] == "looked"
        assert bench.list(*words)[2] == "repeated"


CHANGES: dict[str, Callable[[Bench], object]] = {
    "a file edited": lambda b: b.write(b.types / "one.py", GOOD.format(name="farm_new")),
    "a file added": lambda b: b.write(b.types / "new.py", GOOD.format(name="farm_new")),
    "a file in a subdirectory": lambda b: b.write(b.types / "more" / "new.py", GOOD.format(name="farm_new")),
    "a file removed": lambda b: (b.types / "one.py").unlink(),
    "a file that others may write": lambda b: (b.types / "one.py").chmod(0o666),
    "a directory that others may write": lambda b: b.types.chmod(0o777),
    "a directory above that others may write": lambda b: b.types.parent.chmod(0o777),
    "the directory removed": lambda b: b.types.rename(b.types.with_name("gone")),
    "a user's configuration": lambda b: b.write(
        b.home / ".config" / "topcook" / "config.toml", '[[block]]\nname = "farm_one"\nreason = "old"\n'
    ),
    "a project's configuration": lambda b: b.write(b.home / "shots" / "topcook.toml", "strict = true\n"),
    "a user's own types directory": lambda b: b.write(
        b.home / ".local" / "share" / "topcook" / "types" / "mine.py", GOOD.format(name="farm_mine")
    ),
    "Houdini's user folder": lambda b: b.write(
        b.home / "houdini20.5" / "pdg" / "types" / "hou_farm.py", GOOD.format(name="farm_hou")
    ),
    "a variable": lambda b: b.more.update(PDG_TYPES_PATH=""),
    "an installed distribution": lambda b: b.more.update(PYTHONPATH=str(b.home)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_seen_at_once(bench: Bench, change: Callable[[Bench], object]) -> None:
    bench.kept()
    change(bench)
    after = bench.list()
    assert after[2] == "looked"
    fresh = bench.list(TOPCOOK_INDEX="off")
    assert fresh[2] == "looked"
    assert after[:2] == fresh[:2]


def test_a_helper_edited_behind_a_link_is_seen(bench: Bench, tmp_path: Path) -> None:
    target = bench.write(tmp_path / "elsewhere" / "part.py", "NAME = 'farm_linked'\n")
    (bench.types / "part.py").symlink_to(target)
    bench.write(bench.types / "linked.py", "from part import NAME\n" + GOOD.replace('"{name}"', "NAME"))
    os.utime(target, (1, 1))
    bench.kept()
    target.write_text("NAME = 'farm_other'\n", encoding="utf-8")
    listed, _, how = bench.list()
    assert how == "looked"
    assert "farm_other" in listed


def test_nothing_is_kept_of_what_is_too_young_or_hangs_on_more_than_is_looked_at(bench: Bench) -> None:
    bench.list()
    assert bench.list()[2] == "looked", "a file of this very second may change again without another stamp"
    bench.settle()
    for more in ({"TOPCOOK_INDEX": "off"}, {"HOUDINI_PATH": str(bench.home)}):
        bench.list(**more)
        assert bench.list(**more)[2] == "looked"


def test_no_damage_to_what_is_kept_changes_an_answer(bench: Bench) -> None:
    bench.kept()
    said = bench.list()[0]
    draw = random.Random(1)
    (path,) = bench.answers()
    whole = path.read_bytes()
    for _ in range(15):
        at = draw.randrange(len(whole))
        damaged = whole[:at] if draw.random() < 0.3 else whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :]
        path.write_bytes(damaged)
        assert bench.list()[0] == said
    path.write_bytes(b"")
    assert bench.list()[0] == said


def test_an_answer_that_others_could_have_written_is_not_believed(bench: Bench) -> None:
    bench.kept()
    (path,) = bench.answers()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o666)
    assert bench.list()[2] == "looked"
    if os.geteuid() == 0:
        bench.kept()
        (path,) = bench.answers()
        os.chown(path, 65534, 65534)
        assert bench.list()[2] == "looked"


def test_the_answer_about_a_file_that_fails_is_repeated_for_a_while_only(bench: Bench) -> None:
    import marshal
    import zlib

    bench.write(bench.types / "broken.py", "import no_such_farm\n" + GOOD.format(name="broken"))
    bench.kept()
    (path,) = bench.answers()
    kept = marshal.loads(path.read_bytes()[4:])
    assert 0 < kept[1] - time.time() <= 60
    over = marshal.dumps((kept[0], time.time() - 1, *kept[2:]))
    path.write_bytes(zlib.crc32(over).to_bytes(4, "big") + over)
    assert bench.list()[2] == "looked"


def test_a_reader_that_goes_away_ends_it_quietly(bench: Bench) -> None:
    bench.kept()
    environment = {"PATH": os.environ["PATH"], "HOME": str(bench.home), "PDG_TYPES_PATH": str(bench.types)}
    command = f"{sys.executable} -c 'from topcook.cli import main; main()' list | true"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False, env=environment, cwd=bench.project
    )
    assert done.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
def test_a_full_disk_is_told_in_a_line(bench: Bench) -> None:
    bench.kept()
    environment = {"PATH": os.environ["PATH"], "HOME": str(bench.home), "PDG_TYPES_PATH": str(bench.types)}
    command = [sys.executable, "-c", "from topcook.cli import main; main()", "list"]
    for _ in range(2):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment, cwd=bench.project
            )
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert "No space left on device" in done.stderr


def test_a_folder_that_cannot_be_written_is_no_harm(bench: Bench) -> None:
    bench.settle()
    cache = bench.home / ".cache"
    cache.write_text("a file where a folder should be", encoding="utf-8")
    assert "farm_one" in bench.list()[0]
    assert bench.list()[2] == "looked"
