"""Mutated and truncated versions of good files, through workers: no crash, no hang, no file lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from topcook.factory.probing import WorkerPool
from topcook.factory.probing.messages import candidate_data, candidate_of, packed, report_data, report_of
from topcook.factory.records import State
from topcook.factory.sources import Candidate
from topcook.factory.wire import FileRead, ProbeReport, record_of

Make = Callable[..., Candidate]

TYPES = Path(__file__).parents[3] / "pdg_types"
GOOD = [path.read_bytes() for path in sorted(TYPES.glob("*.py"))]
SCRAPS = [
    b"(",
    b")",
    b":",
    b"\n",
    b"    ",
    b"\t",
    b"\0",
    b"\xff",
    b"def ",
    b"class ",
    b"return ",
    b"self",
    b"'''",
    b"#",
    b"1",
    b"*",
]

#: What is done to a file: cut it, take a piece out, put a scrap in, or swap two pieces. Places are parts of a thousand.
changes = st.lists(
    st.tuples(
        st.sampled_from(["cut", "take", "put", "swap"]),
        st.integers(0, 999),
        st.integers(1, 60),
        st.sampled_from(SCRAPS),
    ),
    min_size=1,
    max_size=4,
)


def mutated(content: bytes, steps: list[tuple[str, int, int, bytes]]) -> bytes:
    for what, place, length, scrap in steps:
        at = len(content) * place // 1000
        before, piece, after = content[:at], content[at : at + length], content[at + length :]
        content = {
            "cut": before,
            "take": before + after,
            "put": before + scrap + piece + after,
            "swap": before + after[:length] + piece + after[length:],
        }[what]
    return content


batches = st.lists(st.tuples(st.sampled_from(GOOD), changes), min_size=8, max_size=8)


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    made = WorkerPool(limit=5.0)
    yield made
    made.close()


def check(pool: WorkerPool, make: Make, batch: list[tuple[bytes, list[tuple[str, int, int, bytes]]]]) -> None:
    candidates = []
    for number, (content, steps) in enumerate(batch):
        candidate = make(f"file{number}", text="")
        Path(candidate.path).write_bytes(mutated(content, steps))
        candidates.append(candidate)
    found: dict[str, ProbeReport] = {}
    assert pool.probe(candidates, lambda each, report: found.setdefault(each.stem, report)) == []
    for candidate in candidates:
        records = [record_of(data, candidate.origin) for data in found[candidate.stem].records]
        assert records, "no file is lost"
        for record in records:
            assert record.state in {State.OK, State.INVALID, State.FAILED, State.SKIPPED}
            assert record.state in {State.OK, State.SKIPPED} or record.problems, "what is wrong is said"
            assert not {"endless", "breaks-process", "garbled", "unspeakable"} & {each.code for each in record.problems}


SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@settings(SETTINGS, max_examples=5)
@given(batch=batches)
def test_no_mutation_of_a_good_file_is_fatal_or_lost(
    pool: WorkerPool, make: Make, batch: list[tuple[bytes, list[tuple[str, int, int, bytes]]]]
) -> None:
    check(pool, make, batch)


@pytest.mark.fuzz
@settings(SETTINGS, max_examples=150)
@given(batch=batches)
def test_no_mutation_of_a_good_file_is_fatal_or_lost_by_the_thousand(
    pool: WorkerPool, make: Make, batch: list[tuple[bytes, list[tuple[str, int, int, bytes]]]]
) -> None:
    check(pool, make, batch)


@given(content=st.binary(max_size=200), name=st.text(min_size=1, max_size=20), missing=st.lists(st.text(), max_size=3))
def test_what_crosses_to_the_host_is_what_was_sent(content: bytes, name: str, missing: list[str]) -> None:
    import json

    report = ProbeReport([{"name": name}], [FileRead(name, "digest", content)], tuple(missing), transient=True)
    assert report_of(json.loads(packed(report_data(report))[4:])) == report


def test_a_path_that_is_no_text_crosses_too(make: Make) -> None:
    candidate = make("good")
    candidate.path = "/types/\udcff.py"
    import json

    assert candidate_of(json.loads(packed(candidate_data(candidate))[4:])).path == candidate.path
