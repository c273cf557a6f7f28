"""Which cooks there are, seen from outside: of this machine and of others, alive and dead, and which one is meant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.cli.control import found
from topcook.errors import CookRefusedError
from topcook.runtime.alive import Process
from topcook.runtime.control.card import Card, read_card, remove_card, write_card
from topcook.runtime.control.dead import end_dead_of
from topcook.runtime.control.known import find_seen, seen_cooks
from topcook.runtime.control.naming import cook_named, short_id
from topcook.runtime.journal import Journal, Past
from topcook.runtime.journal.amending import tell_journal
from topcook.runtime.journal.glance import count_items, glance
from topcook.runtime.journal.identity import Identity
from topcook.runtime.statedir import cook_directory
from topcook.testkit.journaldesk import JournalDesk

COOK = "20261122-021436-95495ed"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def gone() -> Process:
    """A process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as child:
        child.wait()
    return Process.own()._replace(pid=child.pid, began=1.0)


def leave(folder: Path, cook: str = COOK, *, process: Process | None = None, outcome: str = "") -> Identity:
    """What a cook without items leaves in the working directory ``folder`` and in the state directory."""
    network = folder / "net.toml"
    network.touch()
    identity = Identity(str(network), "local", str(folder))
    path = os.path.join(cook_directory(cook), "journal.sqlite")
    facts = {"folder": str(folder), "scheduler": "local"}
    Journal(path, cook, str(network), find=lambda _: None, facts=facts).close(outcome)
    pointer = Path(identity.pointer)
    pointer.parent.mkdir(exist_ok=True)
    said: dict[str, Any] = {
        "version": 1, "cook": cook, "network": str(network), "scheduler": "local", "started": time.time(),
        "process": (process or gone()).facts(), "journal": path, "ended": outcome or None, "heartbeat": time.time(),
    }  # fmt: skip
    pointer.write_text(json.dumps(said))
    return identity


def elsewhere() -> Process:
    return Process("renderbox", "another boot:1", 77, 5.0, "anna")


def test_a_dead_cook_an_ended_one_and_one_that_had_a_successor_are_told_apart(tmp_path: Path) -> None:
    leave(tmp_path, "20261122-000001-aaaaaaa")
    leave(tmp_path, "20261122-000002-bbbbbbb")
    leave(tmp_path, "20261122-000003-ccccccc", outcome="failed")
    assert [(seen.cook[-7:], seen.state) for seen in seen_cooks()] == [
        ("ccccccc", "failed"),
        ("bbbbbbb", "died"),
        ("aaaaaaa", "died"),
    ]
    leave(tmp_path, "20261122-000004-ddddddd")
    assert next(seen_cooks()).state == "dead"


def test_a_cook_of_another_machine_is_shown_as_long_as_it_gives_signs_of_life_and_told_there(tmp_path: Path) -> None:
    identity = leave(tmp_path, process=elsewhere())
    seen = find_seen(COOK)
    assert seen is not None
    assert (seen.state, seen.is_here) == ("cooking", False)
    for name in (COOK, str(tmp_path / "net.toml")):
        with pytest.raises(CookRefusedError, match=r"runs on renderbox(.|\n)*ssh renderbox topcook"):
            found(name)
    os.utime(identity.pointer, (time.time() - 100, time.time() - 100))
    seen = find_seen(COOK)
    assert seen is not None
    assert (seen.state, seen.jobs) == ("dead", [])


def test_a_cook_of_which_only_the_working_directory_knows_is_found_there(tmp_path: Path) -> None:
    leave(tmp_path, process=elsewhere())
    Path(cook_directory(COOK), "journal.sqlite").unlink()
    with pytest.raises(CookRefusedError, match="runs on renderbox"):
        cook_named(str(tmp_path / "net.toml"))


def test_a_cook_is_meant_by_any_beginning_that_no_other_has(tmp_path: Path) -> None:
    ids = ["20261122-000001-abc1111", "20261122-000002-abc2222", "20261123-000003-2026112"]
    for cook in ids:
        leave(tmp_path, cook)
    assert cook_named("abc1") == ids[0]
    assert cook_named("20261122-000002") == ids[1]
    assert cook_named(ids[2]) == ids[2]
    assert cook_named(str(tmp_path / "net.toml")) == ids[2]
    assert short_id(ids[0], ids) == "abc1111"
    # A tail that reads like the beginning of another one is no name.
    assert short_id(ids[2], [*ids, "20261124-000003-2026112"]) == ids[2]
    for text, word in (("abc", "any of 2 cooks"), ("zzz", "the latest that there are"), ("", "no cook")):
        with pytest.raises(CookRefusedError, match=word):
            cook_named(text)


@given(text=st.text(max_size=20))
def test_nothing_that_is_typed_leads_out_of_the_state_directory(text: str) -> None:
    with pytest.raises(CookRefusedError):
        cook_named(f"{text}/../..")


@given(content=st.binary(max_size=200))
def test_a_card_that_is_none_is_no_card(content: bytes) -> None:
    folder = Path(cook_directory(COOK))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "control.json").write_bytes(content)
    assert read_card(COOK) is None
    (folder / "journal.sqlite").write_bytes(content)
    assert glance(str(folder / "journal.sqlite")) is None
    assert find_seen(COOK) is None


def test_a_card_says_who_cooks_and_is_for_its_owner_only() -> None:
    card = Card(COOK, "/a/net.toml", "/a", "local", 12.0, Process.own(), "/a/door")
    write_card(card)
    path = Path(cook_directory(COOK), "control.json")
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert read_card(COOK) == card
    remove_card(COOK)
    assert not path.parent.exists()


def test_a_journal_is_told_of_jobs_that_were_ended_and_of_nothing_else(tmp_path: Path) -> None:
    desk = JournalDesk(tmp_path / "journal.sqlite")
    ended, other, done = (desk.item() for _ in range(3))
    desk.hand_over(ended, other, done)
    desk.end(done)
    desk.journal.close()
    tokens = ["cook-1-1-1", "cook-1-3-1", "cook-2-2-1", "cook-1-2-7"]
    assert tell_journal(desk.path, "cook-1", tokens, "ended", outcome="canceled") == 1
    assert count_items(desk.path) == {"Scheduled": 1, "CookedSuccess": 1, "CookedCancel": 1}
    past = Past.open(desk.path)
    assert past.outcome == "canceled"
    assert [item.id for item in past.in_flight()] == [other.id]
    assert past.messages[-1][3] == "ended"


def test_nobody_ends_what_somebody_goes_on_with(tmp_path: Path) -> None:
    leave(tmp_path)
    seen = find_seen(COOK)
    assert seen is not None
    assert seen.state == "dead"
    # Between the look and the deed somebody resumed it.
    leave(tmp_path, process=Process.own())
    with pytest.raises(CookRefusedError, match="is being cooked already"):
        end_dead_of(seen, "canceled")
    leave(tmp_path)
    assert end_dead_of(seen, "canceled").tokens == []
    again = find_seen(COOK)
    assert again is not None
    assert again.state == "canceled"
