"""Mutated and truncated versions of good files, through workers: no crash, no hang, no file lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from topcook.errors import Problem
from topcook.factory.index.rows import row_of_record
from topcook.factory.probing import WorkerPool
from topcook.factory.probing.messages import candidate_data, candidate_of, packed, report_data, report_of
from topcook.factory.records import Origin, Record, State, Tier
from topcook.factory.sources import Candidate
from topcook.factory.wire import FileRead, ProbeReport, record_data, record_of, records_of
from topcook.model.parms import ParmSpec

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

    record = record_data(Record(name, Origin(Tier.PATH, "x.py"), problems=[Problem("code", name)]))
    report = ProbeReport([record], [FileRead(name, "digest", content)], tuple(missing), transient=True)
    assert report_of(json.loads(packed(report_data(report))[4:])) == report


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@given(data=st.data())
def test_a_report_with_any_other_value_in_it_is_none_or_does_no_harm(data: st.DataObject) -> None:
    """What a worker gone mad says ends as one of these errors, or as a record of which all can be asked."""
    record = record_data(
        Record(
            "x",
            Origin(Tier.PATH, "x.py"),
            problems=[Problem("code", "what", "x.py", 1, 2)],
            parms=(ParmSpec("p", default=("a",), tags=frozenset({"t"})),),
            callbacks={"onStart": "default"},
            aliases=("y",),
        )
    )
    report = report_data(ProbeReport([record], [FileRead("x.py", "digest", b"x")], ("m",)))
    place = data.draw(st.sampled_from([report, record, record["problems"][0], record["parms"][0]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    try:
        made = report_of(report)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        return
    candidate = Candidate(Origin(Tier.PATH, "x.py"), "x.py", "x")
    for each in records_of(made, candidate.origin, candidate.stem):
        texts = (each.name.lower(), each.label, each.category, each.why_not(), each.about, each.module)
        told = (*texts, *map(str, each.problems), *(parm.name + parm.label + "".join(parm.tags) for parm in each.parms))
        assert all(isinstance(text, str) for text in told)
        row_of_record(record_data(each))


def test_records_are_held_to_the_fields_that_there_are() -> None:
    """A field that is new must be told to ``messages``, too."""
    from dataclasses import fields

    from topcook.factory.probing import messages

    assert set(messages._PROBLEM) == {each.name for each in fields(Problem)}
    assert set(messages._PARM) | {"default", "tags"} == {each.name for each in fields(ParmSpec)}
    data = record_data(Record("x", Origin(Tier.PATH, "x.py")))
    assert set(messages._RECORD) | {"state", "kind", "node_type"} == set(data)


def test_a_path_that_is_no_text_crosses_too(make: Make) -> None:
    candidate = make("good")
    candidate.path = "/types/\udcff.py"
    import json

    assert candidate_of(json.loads(packed(candidate_data(candidate))[4:])).path == candidate.path
