"""Mutated and truncated versions of good files: no crash, no hang, and none is lost from the listing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from topcook.cli.problems import problem_text
from topcook.contract.callbacks import CALLBACKS
from topcook.factory import Factory, State
from topcook.factory.probing import WorkerPool

#: Files that are executed side by side for one example.
BATCH = 30

PLAIN = """
import pdg
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="A farm")
"""
RICH = (
    '''"""Every callback there is, and a template."""
import json
import logging

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler

LOG = logging.getLogger("farm")
PARMS = [{"name": "cpus", "type": "Integer", "size": 1, "value": 4}, {"name": "queue#", "type": "String"}]


class Farm(CallbackServerMixin, PyScheduler):
    """A farm."""

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)
        self.jobs = {}

    @classmethod
    def templateName(cls):
        return "richfarm"

    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "richfarm", "parameters": PARMS})

'''
    + "".join(
        f"    {'@staticmethod' if row.is_static else '# ' + row.sentence.partition('.')[0]}\n    def {row.signature}:\n        return None\n\n"
        for row in CALLBACKS
    )
    + """
class Quiet(Farm):
    @classmethod
    def templateName(cls):
        return "quietfarm"


def registerTypes(type_registry):
    for cls in (Farm, Quiet):
        type_registry.registerScheduler(cls)
"""
)
NODE = """
from pdg.partitioner import PyPartitioner

class Halves(PyPartitioner):
    @classmethod
    def templateBody(cls):
        return '''{"name": "halves", "parameters": [
            {"name": "count", "type": "Integer", "value": 2}
        ]}'''
    def onPartition(self, partition_holder, work_items):
        for index, item in enumerate(work_items):
            partition_holder.addItemToPartition(item, index % 2)

def registerTypes(type_registry):
    import pdg
    type_registry.registerNode(Halves, pdg.nodeType.Partitioner)
"""
GOOD = [PLAIN.encode(), RICH.encode(), NODE.encode()]
#: What is put in somewhere: what editors, merges, other languages and slips of the hand leave behind.
PIECES = [
    b"\0", b"\xff", b"\t", b"\r", b"\\", b"'", b'"""', b"(", b")", b"{", b":", b"#", b"\xe2\x80\xa8", b"\xc3\xa9", b"0777",
    b"async ", b"yield ", b"return ", b"await ", b"raise ", b"del ", b"import hou\n", b"import nowhere_at_all\n", b"print 1\n",
    b"<<<<<<< HEAD\n", b"@property\n", b"@staticmethod\n", b"    ", b"lambda: ", b"\x1b[2J", b"exit()\n", b"1/0\n", b"...",
    b"self, ", b"*, ", b"**kw, ", b"=1", b"None", b"class ", b"def ", b"type_registry", b"__init__", b"Farm", b"cls",
]  # fmt: skip
Mutation = Callable[[bytes], bytes]


def cut(where: float) -> Mutation:
    return lambda text: text[: int(len(text) * where)]


def without(where: float, length: int) -> Mutation:
    return lambda text: text[: int(len(text) * where)] + text[int(len(text) * where) + length :]


def put_in(where: float, piece: bytes) -> Mutation:
    return lambda text: text[: int(len(text) * where)] + piece + text[int(len(text) * where) :]


def lines_moved(first: float, second: float) -> Mutation:
    def mutate(text: bytes) -> bytes:
        lines = text.splitlines(keepends=True) or [b""]
        line = lines.pop(int(first * (len(lines) - 1)))
        lines.insert(int(second * len(lines)), line)
        return b"".join(lines)

    return mutate


def dedented(where: float) -> Mutation:
    def mutate(text: bytes) -> bytes:
        lines = text.splitlines(keepends=True) or [b""]
        at = int(where * (len(lines) - 1))
        lines[at] = lines[at].lstrip(b" ")
        return b"".join(lines)

    return mutate


WHERE = st.floats(0, 1)
MUTATIONS = st.one_of(
    st.builds(cut, WHERE),
    st.builds(without, WHERE, st.integers(1, 40)),
    st.builds(put_in, WHERE, st.sampled_from(PIECES)),
    st.builds(lines_moved, WHERE, WHERE),
    st.builds(dedented, WHERE),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    text = draw(st.sampled_from(GOOD))
    for mutate in draw(st.lists(MUTATIONS, min_size=1, max_size=3)):
        text = mutate(text)
    return text


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(limit=5.0)
    yield pool
    pool.close()


def check_batch(texts: list[bytes], folder: Path, pool: WorkerPool) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    paths = {str(folder / f"farm_{number:02}.py"): text for number, text in enumerate(texts)}
    for path, text in paths.items():
        Path(path).write_bytes(text)
    factory = Factory.scan({"PDG_TYPES_PATH": str(folder)}, prober=pool)
    listed = {record.origin.path for record in factory.records}
    assert set(paths) <= listed
    for record in factory.records:
        assert record.state is not State.NOT_PROBED
        if record.state in {State.FAILED, State.INVALID}:
            assert record.problems, record
        for problem in record.problems:
            assert problem.hint, problem
            if problem.path in paths and problem.line is not None:
                lines = paths[problem.path].decode("utf-8", "replace").replace("\r", "\n").split("\n")
                assert 1 <= problem.line <= len(lines) + 1, problem
                assert problem.column is None or 1 <= problem.column <= max(map(len, lines)) + 2, problem
            shown = click.unstyle(problem_text(problem, contents=paths))
            assert all(line.isprintable() for line in shown.split("\n"))


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


@settings(max_examples=5, suppress_health_check=QUIET)
@given(texts=st.lists(mutated(), min_size=BATCH, max_size=BATCH))
def test_no_mutation_crashes_hangs_or_loses_a_file(
    texts: list[bytes], pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_batch(texts, tmp_path_factory.getbasetemp() / "mutated", pool)


@pytest.mark.fuzz
@settings(max_examples=40, suppress_health_check=QUIET)
@given(texts=st.lists(mutated(), min_size=BATCH, max_size=BATCH))
def test_no_mutation_of_a_thousand_crashes_hangs_or_loses_a_file(
    texts: list[bytes], pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_batch(texts, tmp_path_factory.getbasetemp() / "mutated", pool)


@pytest.mark.parametrize("text", GOOD, ids=["plain", "rich", "node"])
def test_the_files_that_are_mutated_are_good(text: bytes, pool: WorkerPool, tmp_path: Path) -> None:
    check_batch([text], tmp_path / "good", pool)
    factory = Factory.scan({"PDG_TYPES_PATH": str(tmp_path / "good")}, prober=pool)
    own = [record for record in factory.records if record.origin.path.startswith(str(tmp_path))]
    assert own
    assert [(record.state, record.problems) for record in own] == [(State.OK, [])] * len(own)
