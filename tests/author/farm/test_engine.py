"""Commands of an engine, and items gathered for one submission."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from topcook.author.farm import Collector, EngineAwayError, EngineCommand, EngineError
from topcook.testkit import FakeHost


def engine(**options: Any) -> EngineCommand:
    return EngineCommand("grid", transient=("timed out", "try again"), sleep=lambda _: None, **options)


def test_what_a_command_prints_is_the_answer() -> None:
    assert engine().run("cat", stdin="hello") == "hello"


def test_what_passes_by_itself_is_tried_again(tmp_path: Path) -> None:
    script = f"echo x >> {tmp_path}/tries; test $(wc -l < {tmp_path}/tries) -ge 3 || {{ echo Try again >&2; exit 1; }}"
    assert engine().run("sh", "-c", script) == ""
    assert (tmp_path / "tries").read_text().count("x") == 3


def test_what_never_passes_is_told_in_the_engines_words_after_all_tries(tmp_path: Path) -> None:
    with pytest.raises(EngineAwayError, match=r"^grid: sh: Socket timed out$"):
        engine(tries=2).run("sh", "-c", f"echo x >> {tmp_path}/tries; echo Socket timed out >&2; exit 1")
    assert (tmp_path / "tries").read_text().count("x") == 2


def test_a_refusal_is_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="invalid partition") as caught:
        engine().run("sh", "-c", f"echo x >> {tmp_path}/tries; echo invalid partition; exit 1")
    assert not isinstance(caught.value, EngineAwayError)
    assert (tmp_path / "tries").read_text().count("x") == 1


def test_a_refusal_is_told_without_the_clients_name_on_each_line() -> None:
    script = "printf 'sh: error: invalid partition: x\\nsh: error: submission failed\\nsh: hm\\n' >&2; exit 1"
    with pytest.raises(EngineError, match=r"^grid: sh: invalid partition: x\nsubmission failed\nhm$"):
        engine().run("sh", "-c", script)


def test_a_client_that_somebody_ended_has_refused_nothing() -> None:
    with pytest.raises(EngineAwayError, match=r"^grid: sh: ended by signal 15$"):
        engine(tries=1).run("sh", "-c", "kill -TERM $$")


def test_bytes_of_another_encoding_do_not_spoil_an_answer_in_json() -> None:
    """Names of anybody's jobs, in the middle of a list of all."""
    assert json.loads(engine().run("printf", r'{"name": "caf\351", "id": 7}'))["id"] == 7


def test_an_engine_that_hangs_is_away() -> None:
    with pytest.raises(EngineAwayError, match=r"did not answer within 0\.1 s$"):
        engine(timeout=0.1, tries=1).run(sys.executable, "-c", "import time; time.sleep(600)")


def test_what_a_client_says_while_it_tries_again_by_itself_is_told() -> None:
    """A start of Python may take longer than a shell's word on a busy machine: the shell says it first."""
    with pytest.raises(EngineAwayError, match=r"did not answer within 5 s: queue full, sleeping$"):
        engine(timeout=5.0, tries=1).run("sh", "-c", "echo queue full, sleeping >&2; exec sleep 600")


def test_a_client_that_is_not_installed_is_named() -> None:
    with pytest.raises(EngineError, match="there is no grid-submit on this machine"):
        engine().run("grid-submit")


def test_without_patterns_every_failure_is_final() -> None:
    assert not EngineCommand("grid").passes("anything at all")


class Clock:
    now = 5.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def gathered() -> tuple[Collector[int], list[list[int]], Clock, FakeHost]:
    host, sent, clock = FakeHost(), [], Clock()  # type: ignore[var-annotated]

    class Scheduler:
        def cppObject(self) -> FakeHost:
            return host

    host.host  # noqa: B018 - a fake host is its own handle
    return Collector(Scheduler(), sent.append, wait=0.5, most=3, clock=clock), sent, clock, host


def test_items_wait_for_a_moment_and_go_together(gathered: Any) -> None:
    collector, sent, clock, host = gathered
    collector.add(1)
    collector.add(2)
    collector.flush_if_due()
    assert (sent, len(collector), host.ticks_asked) == ([], 2, [0.5])
    clock.now += 0.5
    collector.flush_if_due()
    collector.flush_if_due()
    assert (sent, len(collector)) == ([[1, 2]], 0)


def test_a_full_collection_goes_at_once(gathered: Any) -> None:
    collector, sent, _, _ = gathered
    for number in range(7):
        collector.add(number)
    assert (sent, len(collector)) == ([[0, 1, 2], [3, 4, 5]], 1)


def test_what_nobody_wants_any_more_is_taken_out(gathered: Any) -> None:
    collector, sent, _, _ = gathered
    collector.add(1)
    collector.add(2)
    assert collector.drop(lambda number: number == 1) == [1]
    collector.flush()
    assert sent == [[2]]
