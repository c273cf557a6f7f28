"""The same cook once at a time: who holds it, who takes it over, and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from topcook.errors import CookRefusedError
from topcook.runtime.journal import lock as lock_module
from topcook.runtime.journal.identity import Identity
from topcook.runtime.journal.lock import CookLock, read_pointer

#: Takes the lock, or says why not, and keeps it until its input ends.
HOLDER = """
import sys
from topcook.errors import CookRefusedError
from topcook.runtime.journal.identity import Identity
from topcook.runtime.journal.lock import CookLock

lock = CookLock(Identity(sys.argv[1], "local", sys.argv[2]), sys.argv[3], "journal")
sys.stdin.readline()
try:
    lock.take()
except CookRefusedError as error:
    print("refused", str(error).splitlines()[0], flush=True)
else:
    print("taken", lock.told, flush=True)
    sys.stdin.readline()
    lock.release("cooked")
    print("released", flush=True)
"""


class Holder:
    """Another process that wants the lock."""

    def __init__(self, folder: Path, cook: str, network: str = "net.toml") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, network, str(folder), cook],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def go(self) -> Holder:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def lock_in(folder: Path, cook: str = "second", network: str = "net.toml") -> CookLock:
    return CookLock(Identity(network, "local", str(folder)), cook, __file__)


def pointer_of(folder: Path) -> dict[str, Any]:
    found = read_pointer(Identity("net.toml", "local", str(folder)).pointer)
    assert found is not None
    return found


def rewrite(folder: Path, **changes: Any) -> None:
    """Have the pointer say that somebody else wrote it."""
    path = Identity("net.toml", "local", str(folder)).pointer
    said = pointer_of(folder)
    said["process"].update(changes)
    Path(path).write_text(json.dumps(said), encoding="utf-8")


def test_the_same_cook_twice_is_refused_with_who_holds_it(tmp_path: Path) -> None:
    holder = Holder(tmp_path, "first").go()
    assert holder.said().startswith("taken")
    with pytest.raises(CookRefusedError) as refused:
        lock_in(tmp_path).take()
    words = str(refused.value)
    for part in ("cook first", f"process {holder.process.pid}", os.uname().nodename, "since", "topcook cancel first"):
        assert part in words
    holder.go()
    assert holder.said() == "released"
    mine = lock_in(tmp_path)
    mine.take()
    assert mine.told == ""
    assert [each["cook"] for each in mine.before] == ["first"]
    mine.release("cooked")
    holder.kill()


def test_one_process_does_not_cook_the_same_twice_either(tmp_path: Path) -> None:
    first, second = lock_in(tmp_path, "first"), lock_in(tmp_path)
    first.take()
    with pytest.raises(CookRefusedError, match="this very process"):
        second.take()
    first.release("cooked")
    second.take()
    second.release("cooked")


def test_other_networks_cook_side_by_side_in_one_directory(tmp_path: Path) -> None:
    holder = Holder(tmp_path, "first").go()
    assert holder.said().startswith("taken")
    other = lock_in(tmp_path, network="other.toml")
    other.take()
    other.release("cooked")
    holder.kill()


def test_the_lock_of_a_killed_cook_is_taken_over_and_told(tmp_path: Path) -> None:
    holder = Holder(tmp_path, "first").go()
    assert holder.said().startswith("taken")
    holder.kill()
    mine = lock_in(tmp_path)
    mine.take()
    assert f"cook first of this network did not end: process {holder.process.pid}" in mine.told
    mine.release("cooked")


def test_a_number_that_another_process_has_now_holds_nothing(tmp_path: Path) -> None:
    holder = Holder(tmp_path, "first").go()
    holder.said()
    holder.kill()
    rewrite(tmp_path, pid=os.getpid())
    mine = lock_in(tmp_path)
    mine.take()
    assert "did not end" in mine.told
    mine.release("cooked")


def test_a_cook_before_the_last_start_of_the_machine_holds_nothing(tmp_path: Path) -> None:
    holder = Holder(tmp_path, "first").go()
    holder.said()
    rewrite(tmp_path, machine="another-boot:0")
    mine = lock_in(tmp_path)
    mine.take()
    mine.release("cooked")
    holder.kill()


@pytest.mark.parametrize("change", [{"host": "elsewhere"}, {"machine": "container"}])
def test_where_processes_cannot_be_seen_the_last_sign_of_life_decides(tmp_path: Path, change: dict[str, str]) -> None:
    holder = Holder(tmp_path, "first").go()
    holder.said()
    holder.kill()
    if "machine" in change:
        boot = pointer_of(tmp_path)["process"]["machine"].partition(":")[0]
        change = {"machine": f"{boot}:1"}
    rewrite(tmp_path, **change)
    with pytest.raises(CookRefusedError, match="being cooked already"):
        lock_in(tmp_path).take()
    path = Identity("net.toml", "local", str(tmp_path)).pointer
    old = time.time() - lock_module.SILENT - 5
    os.utime(path, (old, old))
    mine = lock_in(tmp_path)
    mine.take()
    assert "did not end" in mine.told
    mine.release("cooked")


def test_of_many_who_race_for_a_stale_lock_one_wins(tmp_path: Path) -> None:
    dead = Holder(tmp_path, "dead").go()
    assert dead.said().startswith("taken")
    racers = [Holder(tmp_path, f"racer{number}") for number in range(6)]
    dead.kill()
    for racer in racers:
        racer.go()
    said = [racer.said() for racer in racers]
    assert sorted(words.split()[0] for words in said) == ["refused"] * 5 + ["taken"]
    winner = next(number for number, words in enumerate(said) if words.startswith("taken"))
    assert all(f"cook racer{winner} " in words for words in said if words.startswith("refused"))
    for racer in racers:
        racer.kill()


def test_a_cook_gives_signs_of_life_and_hears_when_another_took_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    monkeypatch.setattr(lock_module, "BEAT", 0.02)
    mine = lock_in(tmp_path, "first")
    heard = threading.Event()
    words: list[str] = []
    mine.lost = lambda text: (words.append(text), heard.set())[0]
    mine.take()
    first = pointer_of(tmp_path)["heartbeat"]
    deadline = time.monotonic() + 20
    while pointer_of(tmp_path)["heartbeat"] == first:
        assert time.monotonic() < deadline
    said = {**pointer_of(tmp_path), "cook": "thief"}
    draft = tmp_path / "draft"
    draft.write_text(json.dumps(said), encoding="utf-8")
    while not heard.is_set():
        # A beat that was under way may have put the own words back.
        draft.write_text(json.dumps(said), encoding="utf-8")
        os.replace(draft, mine.path)
        assert time.monotonic() < deadline
    assert "cook thief" in words[0]
    mine.release("canceled")
    assert pointer_of(tmp_path)["cook"] == "thief"


def test_a_refused_cook_leaves_the_pointer_as_it_was(tmp_path: Path) -> None:
    refused = lock_in(tmp_path, "refused")
    refused.take()
    refused.release("refused")
    assert read_pointer(refused.path) is None
    good = lock_in(tmp_path, "good")
    good.take()
    good.release("cooked")
    before = pointer_of(tmp_path)
    again = lock_in(tmp_path, "refused")
    again.take()
    again.release("refused")
    assert pointer_of(tmp_path) == before
    assert before["ended"] == "cooked"


def test_what_is_no_pointer_is_in_nobodys_way(tmp_path: Path) -> None:
    path = Path(Identity("net.toml", "local", str(tmp_path)).pointer)
    path.parent.mkdir()
    for text in ("", "{}", "[1]", '{"version": 1, "process": 3}', "\0" * 50):
        path.write_text(text, encoding="utf-8")
        mine = lock_in(tmp_path)
        mine.take()
        mine.release("cooked")


def test_a_terminated_holder_is_gone_although_it_is_not_waited_for(tmp_path: Path) -> None:
    holder = Holder(tmp_path, "first").go()
    holder.said()
    holder.process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, holder.process.pid, os.WEXITED | os.WNOWAIT)
    mine = lock_in(tmp_path)
    mine.take()
    mine.release("cooked")
    holder.kill()


@pytest.mark.parametrize(
    "change",
    [
        {"pid": 0},
        {"pid": -1},
        {"pid": "1"},
        {"pid": True},
        {"began": "soon"},
        {"host": 3},
        {"machine": None},
        {"cook": ".."},
        {"cook": "../../.."},
        {"cook": "/home"},
        {"cook": ""},
        {"journal": 5},
        {"network": None},
        {"started": "now"},
        {"ended": 1},
    ],
)
def test_a_pointer_that_leads_to_other_processes_or_places_is_none(change: dict[str, Any], tmp_path: Path) -> None:
    mine = lock_in(tmp_path)
    mine.take()
    mine.release("cooked")
    said = pointer_of(tmp_path)
    for name, value in change.items():
        (said["process"] if name in said["process"] else said)[name] = value
    Path(mine.path).write_text(json.dumps(said), encoding="utf-8")
    assert read_pointer(mine.path) is None
    again = lock_in(tmp_path, "third")
    again.take()
    again.release("cooked")
    assert again.before == []


@pytest.mark.parametrize(
    "name", ["network", "scheduler", "process", "started", "journal", "ended", "cook", "heartbeat"]
)
def test_a_pointer_without_one_of_its_facts_is_none(name: str, tmp_path: Path) -> None:
    mine = lock_in(tmp_path)
    mine.take()
    mine.release("cooked")
    said = pointer_of(tmp_path)
    del said[name]
    Path(mine.path).write_text(json.dumps(said), encoding="utf-8")
    assert read_pointer(mine.path) is None


def test_of_the_earlier_cooks_that_a_pointer_names_only_those_count_that_can_be_some(tmp_path: Path) -> None:
    mine = lock_in(tmp_path, "first")
    mine.take()
    mine.release("cooked")
    said = pointer_of(tmp_path)
    good = {"host": "here", "cook": "20200101-000000-0000000", "journal": "/somewhere"}
    said["before"] = [5, {}, {**good, "cook": "../x"}, {**good, "journal": None}, good]
    Path(mine.path).write_text(json.dumps(said), encoding="utf-8")
    again = lock_in(tmp_path)
    again.take()
    again.release("cooked")
    assert [each["cook"] for each in again.before] == ["first", good["cook"]]


def test_links_in_a_directory_that_others_write_to_lead_nowhere(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("still here", encoding="utf-8")
    mine = lock_in(tmp_path)
    os.makedirs(os.path.dirname(mine.path))
    for end in ("part", "clock"):
        os.symlink(precious, f"{mine.path}.{os.getpid()}.{end}")
    mine.take()
    assert lock_module._age(mine.path) >= 0
    mine.release("cooked")
    assert precious.read_text(encoding="utf-8") == "still here"
    assert pointer_of(tmp_path)["ended"] == "cooked"


def test_where_another_user_lets_nobody_lock_the_look_a_cook_that_runs_is_still_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = Holder(tmp_path, "first").go()
    assert holder.said().startswith("taken")
    really = os.open

    def denied(path: str, flags: int, mode: int = 0o777, **more: Any) -> int:
        if str(path).endswith(".lock"):
            raise PermissionError(13, "Permission denied", path)
        return really(path, flags, mode, **more)

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(CookRefusedError, match="is being cooked already"):
        lock_in(tmp_path).take()
    holder.kill()
    mine = lock_in(tmp_path)
    mine.take()
    mine.release("cooked")
