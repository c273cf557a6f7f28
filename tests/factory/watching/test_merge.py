"""Which record holds after a file was looked at again."""

from __future__ import annotations

from typing import Any

from topcook.errors import Problem
from topcook.factory.records import Kind, Origin, Record, State, Tier
from topcook.factory.watching.merge import Change, as_on_disk, merge

FARM = Origin(Tier.PATH, "/types/farm.py", "/types")


def record(name: str = "farm", content: str = "1", state: State = State.OK, **more: Any) -> Record:
    return Record(name, more.pop("origin", FARM), state, content_hash=content, **more)


FILE = (Tier.PATH, FARM.path, "farm")


def merged(
    before: list[Record], now: list[Record], at: float, found_at: float | None = None
) -> tuple[list[Record], Change]:
    """One file's records."""
    held, change = merge({FILE: before}, {FILE: now}, {FILE: found_at} if found_at is not None else {}, at)
    return held[FILE], change


def broken(text: str = "oh") -> Record:
    problem = Problem("raises", text, FARM.path, 3)
    return record(content=text, state=State.FAILED, kind=Kind.UNKNOWN, problems=[problem])


def test_what_did_not_change_is_the_same_object() -> None:
    before = record()
    held, change = merged([before], [record()], 5.0)
    assert held == [before]
    assert not change


def test_new_types_serve_and_gone_ones_are_told() -> None:
    held, change = merged([record("old")], [record("new", "2")], 5.0)
    assert [each.name for each in held] == ["new"]
    assert [[each.name for each in some] for some in (change.added, change.removed)] == [["new"], ["old"]]


def test_a_file_is_one_unit_when_one_of_its_types_is_bad_all_stay_as_they_were() -> None:
    before = [record("a"), record("b")]
    bad = record("b", "2", State.INVALID, problems=[Problem("missing-callback", "no")])
    held, change = merged(before, [record("a", "2"), bad], 5.0, 3.0)
    assert [(each.name, each.content_hash) for each in held] == [("a", "1"), ("b", "1")]
    assert all(each.edit is not None and each.edit.serving_of == 3.0 and each.edit.since == 5.0 for each in held)
    assert change.failed == tuple(held)
    assert before[0].edit is None, "who holds the old record sees what he saw"


def test_a_file_that_is_no_types_file_any_more_counts_as_broken() -> None:
    skipped = record(content="", state=State.SKIPPED, kind=Kind.UNKNOWN, reason="a helper file")
    held, _ = merged([record()], [skipped], 5.0)
    assert held[0].edit is not None


def test_what_is_not_to_be_trusted_or_was_disabled_does_not_serve_in_its_old_version() -> None:
    refused = record(state=State.FAILED, problems=[Problem("untrusted-world-writable", "no")])
    for now in (refused, record(state=State.DISABLED)):
        held, _ = merged([record()], [now], 5.0)
        assert held == [now]


def test_the_same_broken_edit_is_told_once() -> None:
    held, _ = merged([record()], [broken()], 5.0)
    again, change = merged(held, [broken()], 6.0)
    assert again == held
    assert not change
    worse, change = merged(held, [broken("ouch")], 7.0)
    assert change.failed == tuple(worse)


def test_of_a_file_that_is_not_probed_yet_the_old_version_serves_on_in_silence() -> None:
    before = record()
    held, change = merged([before], [record(content="", state=State.NOT_PROBED)], 5.0)
    assert held == [before]
    assert not change


def test_as_on_disk_shows_the_file_as_a_new_process_would() -> None:
    now = broken()
    held, _ = merged([record("a"), record("b")], [now], 5.0)
    assert as_on_disk(held) == [now]
