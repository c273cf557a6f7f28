"""What a preflight makes of findings that no machine of a test has."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from topcook.factory.diagnosis import BAD, GOOD, ODD
from topcook.model.directories import Directories
from topcook.runtime.preflight.trial import Tried
from topcook.runtime.preflight.verdicts import findings_of


def tried(seen_after: float | None = 0.1, remote: str = "/home/show", **found: Any) -> Tried:
    usual = {
        "time": 1000.5,
        "host": "n1",
        "user": "me",
        "uid": os.getuid(),
        "umask": 0o022,
        "python": "/usr/bin/python3",
        "version": "3.6.15",
        "working": "/home/show",
        "data": "",
        "wrote": "",
        "maps": [],
        "programs": {},
        "server": "",
    }
    host: Any = SimpleNamespace(name="farm", type_name="farmscheduler", directories=Directories(("/home/show", remote)))
    return Tried(host, None, {**usual, **found}, before=1000.0, after=1001.0, seen_after=seen_after)


def of(topic: str, trial: Tried) -> list[tuple[str, str, str]]:
    return [(each.state, each.text, each.hint) for each in findings_of(trial) if each.topic == topic]


@pytest.mark.parametrize(("at", "state"), [(1000.5, GOOD), (998.5, GOOD), (1002.5, GOOD), (990.0, ODD), (4600.0, ODD)])
def test_clocks_may_differ_a_little(at: float, state: str) -> None:
    ((found, text, _),) = of("clock", tried(time=at))
    assert found == state
    if at == 4600.0:
        assert "3599 s" in text


def test_jobs_of_another_user_are_told_with_what_their_files_need() -> None:
    ((state, text, hint),) = of("user", tried(uid=os.getuid() + 1, user="farm"))
    assert (state, "jobs run as farm" in text, "umask of 002" in hint) == (ODD, True, True)
    ((state, text, _),) = of("user", tried(uid=os.getuid() + 1, user="farm", umask=0o002))
    assert (state, "topcook_secretmode" in text) == (GOOD, True)


@pytest.mark.parametrize(
    ("trial", "states", "words"),
    [
        (tried(data="/home/data: no such file"), [BAD, GOOD], "cannot be read there"),
        (tried(wrote="/home: Read-only file system"), [GOOD, BAD], "nothing can be written there"),
        (tried(None), [GOOD, BAD], "is not seen here"),
        (tried(12.0), [GOOD, ODD], "after 12.0 s"),
    ],
)
def test_each_direction_of_the_shared_directory_is_told(trial: Tried, states: list[str], words: str) -> None:
    rows = of("shared", trial)
    assert [state for state, _, _ in rows] == states
    assert words in " ".join(text for _, text, _ in rows)


def test_two_names_of_one_directory_are_a_matter_of_the_map() -> None:
    ((_, _, hint), _) = of("shared", tried(data="gone", remote="/mnt/show"))
    assert hint.startswith('"/home/show" here has to be "/mnt/show" there')


def test_a_rule_of_the_path_map_that_leads_nowhere_is_told() -> None:
    rules = [{"from": "P:/", "to": "/mnt/p", "there": True}, {"from": "Q:/", "to": "/mnt/q", "there": False}]
    assert [(state, text) for state, text, _ in of("path map", tried(maps=rules))] == [
        (GOOD, "P:/ -> /mnt/p"),
        (BAD, "Q:/ -> /mnt/q, which is not there"),
    ]
