"""Hundreds of random edits against a live registry, which must come to equal a fresh scan."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from topcook.factory import Factory
from topcook.factory.probing import WorkerPool
from topcook.factory.records import Record, State
from topcook.factory.watching import LiveFactory
from topcook.factory.watching.merge import as_on_disk

#: What a live registry may take to be right when all is quiet, on a machine that is busy with other things.
DEADLINE = 30.0
STEMS = ("farm", "render", "queue", "cloud", "batch")
FOLDERS = ("one", "two", "one/sub", "two/pack", "aside")
BROKEN = (
    "def registerTypes(type_registry)\n",
    "import nothing_of_that_name\nregisterTypes = 1\n",
    "1/0 # registerTypes =\n",
    "",
)
TYPES = """
from pdg.scheduler import PyScheduler
{imports}

class {cls}(PyScheduler):
    @classmethod
    def templateName(cls):
        return "{name}"

    def onSchedule(self, work_item):
        return {version}

def registerTypes(type_registry):
    type_registry.registerScheduler({cls}, label="{name} {version}")
"""


class Vandal:
    """Does to a tree what people, editors and version control do, and worse; all from one seed."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.dice = random.Random(seed)
        self.version = 0
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True)

    def act(self) -> str:
        """One thing; returns what it was."""
        deed = self.dice.choice(
            [
                *[self.good, self.good, self.good, self.broken, self.replaced, self.helper, self.delete, self.rename],
                *[self.case, self.link, self.behind, self.in_steps, self.backwards, self.touch, self.folder],
                *[self.package, self.swap, self.remove_folder, self.remove_entry, self.many],
            ]
        )
        # What is to be changed may have gone with its directory.
        try:
            deed()
        except OSError as error:
            return f"{deed.__name__} ({error})"
        return deed.__name__

    def text(self, stem: str) -> str:
        self.version += 1
        imports = self.dice.choice(["", "", "import helper", "from helper import VALUE"])
        return TYPES.format(name=stem, cls=stem.title(), version=self.version, imports=imports)

    def place(self) -> Path:
        return self.root / self.dice.choice(FOLDERS)

    def path(self) -> Path:
        return self.place() / f"{self.dice.choice(STEMS)}.py"

    def there(self) -> Path:
        """A file that exists, mostly."""
        found = sorted(path for path in self.root.rglob("*.py") if path.parent != self.root)
        return self.dice.choice(found) if found else self.path()

    def good(self) -> None:
        path = self.path()
        path.write_text(self.text(path.stem), encoding="utf-8")

    def broken(self) -> None:
        self.there().write_text(self.dice.choice(BROKEN), encoding="utf-8")

    def replaced(self) -> None:
        path = self.path()
        draft = path.with_name(f".{path.name}.tmp")
        draft.write_text(self.text(path.stem), encoding="utf-8")
        draft.replace(path)

    def helper(self) -> None:
        self.version += 1
        (self.place() / "helper.py").write_text(f"VALUE = {self.version}\n", encoding="utf-8")

    def delete(self) -> None:
        self.there().unlink()

    def rename(self) -> None:
        self.there().rename(self.path())

    def case(self) -> None:
        path = self.there()
        path.rename(path.with_name(path.stem.swapcase() + ".py"))

    def link(self) -> None:
        path = self.path()
        path.unlink(missing_ok=True)
        path.symlink_to(self.root / "aside" / f"{self.dice.choice(STEMS)}.py")

    def behind(self) -> None:
        path = self.root / "aside" / f"{self.dice.choice(STEMS)}.py"
        path.write_text(self.text(path.stem), encoding="utf-8")

    def in_steps(self) -> None:
        path = self.path()
        text = self.text(path.stem)
        with path.open("w", encoding="utf-8") as stream:
            for at in range(0, len(text), 100):
                stream.write(text[at : at + 100])
                stream.flush()
                time.sleep(self.dice.random() / 20)

    def backwards(self) -> None:
        path = self.there()
        before = path.stat()
        path.write_text(self.text(path.stem), encoding="utf-8")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns - self.dice.randrange(10**12)))

    def touch(self) -> None:
        self.there().touch()

    def folder(self) -> None:
        path = self.dice.choice([self.root / "one", self.root / "two"]) / self.dice.choice(["sub", "more", "deep"])
        path.mkdir(exist_ok=True)
        (path / "farm.py").write_text(self.text("farm"), encoding="utf-8")

    def package(self) -> None:
        path = self.root / "two" / "pack"
        (path / "inner").mkdir(parents=True, exist_ok=True)
        (path / "inner" / "kinds.py").write_text(self.text("pack"), encoding="utf-8")
        (path / "inner" / "__init__.py").touch()
        (path / "__init__.py").write_text("from .inner.kinds import registerTypes\n", encoding="utf-8")

    def swap(self) -> None:
        one, two, away = self.root / "one", self.root / "two", self.root / "away"
        one.rename(away)
        two.rename(one)
        away.rename(two)

    def remove_folder(self) -> None:
        path = self.dice.choice(["one/sub", "one/more", "two/deep", "two/pack"])
        shutil.rmtree(self.root / path, ignore_errors=True)

    def remove_entry(self) -> None:
        entry = self.root / self.dice.choice(["one", "two"])
        shutil.rmtree(entry)
        if self.dice.random() < 0.9:
            entry.mkdir()

    def many(self) -> None:
        """A checkout."""
        for stem in STEMS:
            path = self.root / "one" / f"{stem}.py"
            path.unlink(missing_ok=True)
            path.write_text(self.text(stem), encoding="utf-8")


def face(record: Record) -> tuple[Any, ...]:
    state = "ok" if record.state is State.SHADOWED else record.state.value
    codes = sorted((problem.code, problem.line or 0) for problem in record.problems)
    return (record.origin.path, record.name, record.kind.value, state, record.label, record.content_hash, codes)


@pytest.fixture
def pool() -> Iterator[Callable[[], WorkerPool]]:
    made: list[WorkerPool] = []

    def make() -> WorkerPool:
        made.append(WorkerPool())
        return made[-1]

    yield make
    for each in made:
        each.close()


def soak(root: Path, pool: Callable[[], WorkerPool], *, seed: int, deeds: int, seconds: float) -> None:
    print(f"seed {seed}")
    vandal = Vandal(root, seed)
    environ = {"PDG_TYPES_PATH": f"{root / 'one'}:{root / 'two'}"}
    fresh_pool = pool()
    done: list[str] = []

    def on_disk() -> list[tuple[Any, ...]]:
        return [face(each) for each in Factory.scan(environ, prober=fresh_pool).records]

    with LiveFactory(Factory.scan(environ, prober=pool()), poll=1000.0) as live:
        start = time.monotonic()
        for number in range(1, deeds + 1):
            done.append(vandal.act())
            if number % max(1, deeds // 11) == 0 or number == deeds:
                expected = on_disk()
                right = live.wait(partial(equals, live, expected), DEADLINE)
                seen = [face(each) for each in as_on_disk(live.records())]
                assert right, (
                    f"seed {seed}, after {number} deeds, the last {done[-20:]}:\n{_difference(seen, expected)}"
                )
            time.sleep(vandal.dice.random() * 2 * max(0.0, seconds - (time.monotonic() - start)) / (deeds - number + 1))


def equals(live: LiveFactory, expected: list[tuple[Any, ...]]) -> bool:
    return [face(each) for each in as_on_disk(live.records())] == expected


def _difference(seen: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> str:
    more = [f"  only live: {each}" for each in seen if each not in expected]
    less = [f"  only on disk: {each}" for each in expected if each not in seen]
    return "\n".join([*more, *less]) or f"  another order:\n{seen}\n{expected}"


@pytest.mark.parametrize("seed", [1, 2])
def test_forty_edits_end_in_what_a_fresh_scan_finds(tmp_path: Path, pool: Callable[[], WorkerPool], seed: int) -> None:
    soak(tmp_path, pool, seed=seed, deeds=40, seconds=1.0)


@pytest.mark.fuzz
@pytest.mark.timeout(180)
def test_a_minute_of_edits_ends_in_what_a_fresh_scan_finds(tmp_path: Path, pool: Callable[[], WorkerPool]) -> None:
    soak(tmp_path, pool, seed=random.randrange(10**6), deeds=400, seconds=60.0)


@pytest.mark.soak
def test_two_thousand_edits_in_five_minutes_end_in_what_a_fresh_scan_finds(
    tmp_path: Path, pool: Callable[[], WorkerPool]
) -> None:
    soak(tmp_path, pool, seed=random.randrange(10**6), deeds=2000, seconds=300.0)
