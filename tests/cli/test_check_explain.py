"""Every problem has a row in one table, which people can ask."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from topcook.cli.check import command
from topcook.contract.tolerated import TOLERATED
from topcook.factory.probing.traits import TRAITS
from topcook.factory.trust import RULES
from topcook.model.problemcodes import AREAS, CODES

SOURCE = Path(__file__).parents[2] / "registry" / "topcook"
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
#: Calls that make a problem, with the arguments among which its code stands.
MAKERS = {
    "Problem": (0,),
    "_problem": (0, 1),
    "problem": (0,),
    "Fault": (1,),
    "refuse": (1,),
    "Rule": (0,),
    "Trait": (0,),
    "trait_problem": (0,),
    "_tell": (0,),
    "_refused": (0,),
}


def used_codes() -> Iterator[tuple[str, str]]:
    """Each code with the place that says it."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            name = (
                (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
                if isinstance(node, ast.Call)
                else ""
            )
            if isinstance(node, ast.Call) and name in MAKERS:
                given = [node.args[at] for at in MAKERS[name] if at < len(node.args)]
                for code in (each.value for each in given if isinstance(each, ast.Constant)):
                    if isinstance(code, str) and CODE.fullmatch(code):
                        yield code, f"{path.relative_to(SOURCE)}:{node.lineno}"


def test_every_code_that_is_said_has_a_row() -> None:
    lacking = [f"{place}: {code}" for code, place in used_codes() if code not in CODES]
    assert not lacking, "\n".join(["no row in model/problemcodes for:", *lacking])


def test_every_row_is_said_somewhere() -> None:
    tables = {SOURCE / "contract" / "tolerated.py", *(SOURCE / "model" / "problemcodes").glob("*.py")}
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py") if path not in tables)
    assert [code for code in CODES if f'"{code}"' not in text] == []


def test_every_code_has_one_row_and_words() -> None:
    assert len(CODES) == sum(map(len, AREAS.values()))
    assert [row.code for row in CODES.values() if not (row.title and row.text and CODE.fullmatch(row.code))] == []
    assert [row.code for row in CODES.values() if row.wrong and not row.right] == []


def test_what_is_tolerated_has_a_row_and_the_tables_agree() -> None:
    assert set(CODES) >= TOLERATED
    assert {code for code, trait in TRAITS.items() if trait.tolerated} == TOLERATED & set(TRAITS)
    assert {rule.code for rule in RULES} <= set(CODES)


@pytest.mark.parametrize("asked", ["mistyped-callback", "warning[mistyped-callback]:", " Mistyped-Callback"])
def test_a_code_is_explained_as_it_is_copied_from_the_screen(asked: str) -> None:
    done = CliRunner().invoke(command, ["--explain", asked], standalone_mode=False)
    assert done.return_value == 0
    assert done.output.startswith("warning[mistyped-callback]: ")
    assert "def getLogURI(self, work_item): ..." in done.output


def test_of_an_unknown_code_the_closest_are_named() -> None:
    done = CliRunner().invoke(command, ["--explain", "mistyped"], standalone_mode=False)
    assert done.return_value == 1
    assert "mistyped-callback" in done.output
