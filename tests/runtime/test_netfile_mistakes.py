"""Mistakes in a network file: all of them at once, each at its line, and nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from topcook.errors import GraphFileError, Problem, ProblemsError
from topcook.runtime.netfile import load_network

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = """\
[network]
name = "bad"
scheduler = "lokal"
displai = "x"
[schedulers.farm]
type = "localschedular"
[schedulers.ok]
type = "localscheduler"
[schedulers.ok.parms]
maxprocs = "two"
maxprcs = 3
[nodes.a]
type = "genericgeneratr"
[nodes.after_a]
type = "genericgenerator"
inputs = ["a"]
scheduler = "farm"
[nodes.b]
type = "genericgenerator"
inputs = ["zz", "c"]
scheduler = "nofarm"
[nodes.b.parms]
itemcount = "3"
comand = "x"
[nodes.c]
type = "genericgenerator"
inputs = ["d"]
[nodes.d]
type = "genericgenerator"
inputs = ["c"]
[nodes.e]
type = "genericgenerator"
scheduler = "ok"
[nodes.e.job_parms]
maxprocs = 3
[nodes.f]
type = "genericgenerator"
[nodes.f.parms]
itemcount = 3
command = '''
touch ran
echo @angel
'''
"""

#: line, what is said there
TOLD = {
    3: 'unknown scheduler "lokal"',
    4: 'unknown key "displai"',
    6: 'unknown scheduler "localschedular"',
    10: 'parm "maxprocs" is an integer',
    11: 'there is no parm "maxprcs"',
    13: 'unknown node type "genericgeneratr"',
    20: 'has the input "zz"',
    21: 'unknown scheduler "nofarm"',
    23: 'parm "itemcount" is an integer',
    24: 'there is no parm "comand"',
    27: "c -> d -> c",
    35: '"maxprocs" of scheduler "ok" cannot be overridden',
    42: 'no attribute "angel"',
}


def mistakes(tmp_path: Path, text: str) -> list[Problem]:
    """The problems of a network file."""
    path = tmp_path / "net.toml"
    path.write_text(text)
    with pytest.raises(GraphFileError) as caught:
        load_network(path)
    return caught.value.problems


def test_every_kind_of_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    """Structure, names, types, overrides and expressions, each where it stands; nothing follows from another."""
    told = {problem.line: problem.message for problem in mistakes(tmp_path, NETWORK)}
    assert sorted(told) == sorted(TOLD)
    assert [line for line, words in TOLD.items() if words not in told[line]] == []
    assert not (tmp_path / "ran").exists()


def test_close_names_are_offered(tmp_path: Path) -> None:
    hints = {problem.line: problem.hint or "" for problem in mistakes(tmp_path, NETWORK)}
    for line, name in {6: "localscheduler", 11: "maxprocs", 13: "genericgenerator", 24: "command"}.items():
        assert f'did you mean "{name}"' in hints[line]


def test_an_expression_in_a_long_text_is_pointed_at_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(
        '[network]\nname = "x"\n[nodes.a]\ntype = "genericgenerator"\n[nodes.a.parms]\ncommand = """\none\ntwo @nope\n"""\n'
    )
    context = load_network(path)
    with pytest.raises(ProblemsError) as caught:
        context.cook(True)
    assert [(problem.path, problem.line) for problem in caught.value.problems] == [(str(path), 8)]
    context.close()


@pytest.mark.parametrize("choice", [{"scheduler": "nofarm"}, {"overrides": {"one": "nofarm"}}])
def test_an_unknown_scheduler_of_the_command_line_is_told_once(tmp_path: Path, choice: dict[str, Any]) -> None:
    path = tmp_path / "net.toml"
    path.write_text('[nodes.one]\ntype = "genericgenerator"\nparms.command = "true"\n')
    with pytest.raises(GraphFileError) as refused:
        load_network(path, **choice)
    assert [problem.code for problem in refused.value.problems] == ["unknown-scheduler"]


@pytest.mark.parametrize("named", ['[network]\nscheduler = "farm"\n', ""])
def test_who_names_a_scheduler_of_an_unknown_type_is_not_told_that_it_is_unknown(tmp_path: Path, named: str) -> None:
    own = "" if named else 'scheduler = "farm"\n'
    text = (
        f'{named}[schedulers.farm]\ntype = "nofarm"\n[nodes.one]\ntype = "genericgenerator"\n{own}parms.command = "x"\n'
    )
    (problem,) = mistakes(tmp_path, text)
    assert problem.message == 'unknown scheduler "nofarm"'


def test_a_file_of_the_name_beside_the_network_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "nofarm.py").write_text("def registerTypes(r): ...\n")
    text = '[schedulers.farm]\ntype = "nofarm"\n[nodes.one]\ntype = "genericgenerator"\nparms.command = "x"\n'
    (problem,) = mistakes(tmp_path, text)
    first = (problem.hint or "").partition("\n")[0]
    assert first.startswith("nofarm.py beside the network is not on the types path: PDG_TYPES_PATH=")
    assert first.endswith(f"topcook install {tmp_path / 'nofarm.py'}")
