"""Who could have written a types file: the table of rules, on real files, also as another user."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.config import Config, load_config
from topcook.factory import Factory
from topcook.factory.probing.pool import WorkerPool
from topcook.factory.records import State, Tier
from topcook.factory.sources import Candidate, Rules, candidates_in, classified, path_warnings
from topcook.factory.trust import RULES, Trust, UntrustedFileError, read_trusted, trust_of
from topcook.factory.typespath import TypesEntry

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners here")
as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
STRANGER = 54321
TEXT = "def registerTypes(r): ...\n"


@pytest.fixture
def types(tmp_path: Path) -> Path:
    """A types directory with ``farm.py``, both with the modes that files have by default."""
    folder = tmp_path / "types"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "farm.py").write_text(TEXT, encoding="utf-8")
    (folder / "farm.py").chmod(0o644)
    return folder


def found(folder: Path, *, config: Config | None = None, named: bool = False) -> list[Candidate]:
    entry = TypesEntry(str(folder), Tier.PATH, "PDG_TYPES_PATH", named)
    rules = Rules(trust_of(config, [entry], {"HOME": "/home/ann"}), config)
    return [classified(each) for each in candidates_in(entry, rules)]


def warned(folder: Path, *, config: Config | None = None) -> list[str]:
    entry = TypesEntry(str(folder), Tier.PATH, "PDG_TYPES_PATH", named=False)
    trust = trust_of(config, [entry])
    return [each.code for each in path_warnings(entry, candidates_in(entry, Rules(trust, config)), trust)]


def codes(candidate: Candidate) -> list[str]:
    return [problem.code for problem in candidate.refused]


def test_ordinary_files_pass(types: Path) -> None:
    (candidate,) = found(types)
    assert not candidate.settled
    assert warned(types) == []
    assert candidate.read() == TEXT.encode()


def test_a_file_that_everybody_may_write_is_listed_as_failed_and_never_executed(types: Path) -> None:
    (types / "farm.py").chmod(0o666)
    (candidate,) = found(types)
    assert codes(candidate) == ["untrusted-writable"]
    record = candidate.record()
    assert (record.name, record.state) == ("farm", State.FAILED)
    assert record.problems[0].hint == f"chmod o-w {types / 'farm.py'}"
    subprocess.run(record.problems[0].hint, shell=True, check=True)
    assert not found(types)[0].settled


@pytest.mark.parametrize("mode", [0o777, 0o1777], ids=["plain", "sticky"])
def test_nothing_in_a_directory_that_everybody_may_write_is_executed(types: Path, mode: int) -> None:
    types.chmod(mode)
    (candidate,) = found(types)
    assert codes(candidate) == ["untrusted-writable"]
    assert candidate.refused[0].hint == f"chmod o-w {types}"


def test_subdirectories_and_packages_are_judged_too(types: Path) -> None:
    for name in ("sub", "pack"):
        (types / name).mkdir()
        (types / name).chmod(0o777)
    (types / "sub" / "deep.py").write_text(TEXT, encoding="utf-8")
    (types / "pack" / "__init__.py").write_text(TEXT, encoding="utf-8")
    judged = {each.stem: codes(each) for each in found(types)}
    assert judged == {"farm": [], "deep": ["untrusted-writable"], "pack": ["untrusted-writable"]}


def test_a_link_is_judged_by_what_it_leads_to(types: Path, tmp_path: Path) -> None:
    target = tmp_path / "real.py"
    target.write_text(TEXT, encoding="utf-8")
    target.chmod(0o646)
    (types / "link.py").symlink_to(target)
    assert {each.stem: codes(each) for each in found(types)} == {"farm": [], "link": ["untrusted-writable"]}


@as_root
def test_the_owner_must_be_somebody_who_is_trusted(types: Path) -> None:
    os.chown(types / "farm.py", STRANGER, STRANGER)
    (candidate,) = found(types)
    assert codes(candidate) == ["untrusted-owner"]
    hint = candidate.refused[0].hint
    assert hint is not None
    assert f'trust.owners = ["{STRANGER}"]' in hint
    assert found(types, config=Config(trusted_owners=(str(STRANGER),)))[0].refused == ()


@as_root
def test_the_line_in_the_hint_is_what_mends_it(types: Path, tmp_path: Path) -> None:
    os.chown(types / "farm.py", STRANGER, STRANGER)
    environ = {"HOME": str(tmp_path)}
    entry = TypesEntry(str(types), Tier.PATH, "PDG_TYPES_PATH", named=False)

    def judged() -> tuple[str, ...]:
        config = load_config(environ)
        (candidate,) = candidates_in(entry, Rules(trust_of(config, [entry], environ), config))
        return tuple(problem.hint or "" for problem in candidate.refused)

    (hint,) = judged()
    file, line = hint.partition("at the top of ")[2].split(": ")
    Path(file).parent.mkdir(parents=True)
    Path(file).write_text(line + "\n", encoding="utf-8")
    assert judged() == ()


@as_root
def test_whoever_owns_an_entry_that_the_user_named_is_trusted_everywhere(types: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in (types, types / "farm.py", other):
        os.chown(path, STRANGER, -1)
    assert found(types, named=True)[0].refused == ()
    assert codes(found(types, named=False)[0]) == ["untrusted-owner", "untrusted-owner"]
    entries = [TypesEntry(str(other), Tier.PATH, "PDG_TYPES_PATH"), TypesEntry(str(types), Tier.PATH, "project", False)]
    trust = trust_of(None, entries)
    assert candidates_in(entries[1], Rules(trust))[0].refused == ()


@as_root
def test_studio_tools_of_a_squashed_share_work_with_a_warning(types: Path) -> None:
    for path, mode in ((types, 0o2775), (types / "farm.py", 0o664)):
        os.chown(path, STRANGER, STRANGER)
        path.chmod(mode)
    config = Config(trusted_owners=(str(STRANGER),))
    assert not found(types, config=config)[0].settled
    assert warned(types, config=config) == ["group-writable"]
    strict = Config(trusted_owners=(str(STRANGER),), trust_strict=True)
    assert codes(found(types, config=strict)[0]) == ["group-writable", "group-writable"]


def test_many_files_of_a_group_are_one_warning(types: Path) -> None:
    for number in range(20):
        (types / f"f{number}.py").write_text(TEXT, encoding="utf-8")
        os.chown(types / f"f{number}.py", -1, STRANGER) if os.geteuid() == 0 else None
        (types / f"f{number}.py").chmod(0o664)
    trust = trust_of(None, [])
    entry = TypesEntry(str(types), Tier.PATH, "PDG_TYPES_PATH")
    warnings = path_warnings(entry, candidates_in(entry, Rules(trust)), trust)
    assert [each.code for each in warnings] in (["group-writable"], [])
    assert not warnings or "19 more" in warnings[0].message


@pytest.mark.parametrize(("mode", "warns"), [(0o777, True), (0o1777, False), (0o755, False)])
def test_a_directory_above_that_everybody_may_write_is_told_and_refused_in_strict_mode(
    types: Path, tmp_path: Path, mode: int, warns: bool
) -> None:
    tmp_path.chmod(mode)
    try:
        assert (warned(types) == ["writable-above"]) is warns
        assert not found(types)[0].settled
        assert (codes(found(types, config=Config(trust_strict=True))[0]) == ["writable-above"]) is warns
    finally:
        tmp_path.chmod(0o700)


def test_a_single_file_is_judged_with_its_directory(types: Path) -> None:
    types.chmod(0o777)
    (candidate,) = found(types / "farm.py")
    assert codes(candidate) == ["untrusted-writable"]


def test_built_ins_are_trusted_whatever_their_modes(types: Path) -> None:
    (types / "farm.py").chmod(0o666)
    entry = TypesEntry(str(types), Tier.BUILTIN, "built-in")
    (candidate,) = candidates_in(entry, Rules(Trust(frozenset(), strict=True)))
    assert candidate.refused == ()
    assert candidate.read() == TEXT.encode()


def test_where_there_are_no_owners_everything_passes(types: Path) -> None:
    (types / "farm.py").chmod(0o666)
    entry = TypesEntry(str(types), Tier.PATH, "PDG_TYPES_PATH")
    assert candidates_in(entry, Rules(Trust(frozenset(), checked=False)))[0].refused == ()


def test_the_bytes_are_judged_after_they_were_opened(types: Path) -> None:
    (candidate,) = found(types)
    (types / "evil.py").write_text("evil", encoding="utf-8")
    (types / "evil.py").chmod(0o666)
    (types / "evil.py").replace(types / "farm.py")
    with pytest.raises(UntrustedFileError, match="everybody may write"):
        candidate.read()


def test_a_helper_that_everybody_may_write_is_not_imported(types: Path, drop: Callable[..., Path]) -> None:
    text = drop("farm.py").read_text(encoding="utf-8")
    (types / "farm.py").write_text("from helper import X\n" + text, encoding="utf-8")
    (types / "helper.py").write_text("import sys\nsys.helper_was_executed = True\nX = 1\n", encoding="utf-8")
    (types / "helper.py").chmod(0o666)
    for prober in (None, WorkerPool()):
        factory = Factory.scan({"PDG_TYPES_PATH": str(types)}, prober=prober)
        records = {record.name: record for record in factory.records if record.origin.root == str(types)}
        factory.close()
        assert {name: record.state for name, record in records.items()} == {
            "farm": State.FAILED,
            "helper": State.FAILED,
        }
        assert records["farm"].problems[0].code == "untrusted-writable"
        assert records["farm"].problems[0].path == str(types / "helper.py")
        assert not hasattr(sys, "helper_was_executed")


@pytest.mark.parametrize("place", ["kit", "kit/inner"])
def test_a_folder_of_helpers_into_which_everybody_may_put_files_is_not_imported_from(
    types: Path, drop: Callable[..., Path], place: str
) -> None:
    text = drop("farm.py").read_text(encoding="utf-8")
    (types / "farm.py").write_text("import kit.inner.part\n" + text, encoding="utf-8")
    (types / "kit" / "inner").mkdir(parents=True)
    for name in ("__init__.py", "inner/__init__.py", "inner/part.py"):
        (types / "kit" / name).write_text("import sys\nsys.helper_was_executed = True\n", encoding="utf-8")
    (types / place).chmod(0o777)
    if place != "kit":
        # What lies outside of that folder is imported on the way to it.
        (types / "kit" / "__init__.py").write_text("", encoding="utf-8")
    factory = Factory.scan({"PDG_TYPES_PATH": str(types)})
    (record,) = [record for record in factory.records if record.name == "farm"]
    assert record.state is State.FAILED
    assert record.problems[0].code == "untrusted-writable"
    assert record.problems[0].path == str(types / place)
    assert not hasattr(sys, "helper_was_executed")


def test_reading_waits_for_no_pipe_and_takes_no_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "zero.py").symlink_to("/dev/zero")
    for name in ("pipe.py", "zero.py"):
        with pytest.raises(OSError, match="no regular file"):
            read_trusted(str(tmp_path / name), None)


AS_SOMEBODY = """
import os, shlex, sys
import pdg.scheduler
from topcook.factory import Factory
# What is imported on the way, and to word a problem, may lie where only root reads.
Factory.scan({})
os.setgroups([]); os.setgid(54322); os.setuid(54322)
factory = Factory.scan({"PDG_TYPES_PATH": sys.argv[1]})
for record in factory.records:
    if record.origin.root == sys.argv[1]:
        print(record.name, record.state.value, *(problem.code for problem in record.problems))
"""


@as_root
@pytest.mark.parametrize(
    ("owner", "mode", "said"),
    [
        (0, 0o644, "farm ok"),
        (54322, 0o644, "farm ok"),
        (STRANGER, 0o644, "farm failed untrusted-owner"),
        (54322, 0o602, "farm failed untrusted-writable"),
        (0, 0o600, "farm failed unreadable"),
    ],
)
def test_another_user_is_protected_from_strangers_and_not_from_root(
    drop: Callable[..., Path], owner: int, mode: int, said: str
) -> None:
    text = drop("farm.py").read_bytes()
    # Not below pytest's directory: each run that starts beside this one closes it to others.
    with tempfile.TemporaryDirectory(prefix="topcook-trust-") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "farm.py")
        path.write_bytes(text)
        os.chown(path, owner, -1)
        path.chmod(mode)
        command = [sys.executable, "-c", AS_SOMEBODY, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.stdout.strip() == said, done.stderr


@given(st.integers(0, 0o7777), st.sampled_from([0, STRANGER]), st.booleans(), st.sampled_from(["file", "directory"]))
def test_whatever_the_mode_only_what_no_stranger_may_write_passes(
    mode: int, uid: int, strict: bool, subject: str
) -> None:
    trust = Trust(frozenset({0}), strict)
    status = os.stat_result((mode, 1, 1, 1, uid, 77777, 0, 0, 0, 0))
    refused = trust.refused("/x", status, subject)
    assert bool(refused) is (bool(mode & 0o002) or uid != 0 or (strict and bool(mode & 0o020)))
    assert trust.passes(status) <= (not refused)
    for problem in (*refused, *trust.warnings("/x", status, subject)):
        assert problem.hint
        assert problem.path == "/x"


def test_each_rule_has_its_own_code() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
