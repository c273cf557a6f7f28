"""How strict registration is: the contract alone, or everything that the help page calls a must."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from topcook.config import Config, load_config
from topcook.contract.callbacks import CALLBACKS, Need
from topcook.factory import Factory, State

MUSTS = [row for row in CALLBACKS if row.need is Need.DEFAULTED]


def scanned(folder: Path, **variables: str) -> Factory:
    environ = {"PDG_TYPES_PATH": str(folder), **variables}
    config: Config = load_config(environ, directory=str(folder))
    return Factory.scan(environ, config=config)


def test_the_contract_asks_for_what_cannot_be_done_without(tmp_path: Path, drop: Callable[..., Path]) -> None:
    drop("farm.py")
    assert scanned(tmp_path / "types").scheduler("farm").state is State.OK


def test_the_seed_asks_for_every_must_in_the_file_itself_and_says_who_asks(
    tmp_path: Path, drop: Callable[..., Path]
) -> None:
    drop("farm.py")
    factory = scanned(tmp_path / "types", TOPCOOK_REQUIRE="seed")
    (record,) = [each for each in factory.records if each.name == "farm"]
    assert record.state is State.INVALID
    asked = [problem for problem in record.problems if problem.code == "required-by-seed"]
    assert {problem.message.split('"')[1] for problem in asked} >= {"onStartCook", "onStopCook"} & {
        row.name for row in MUSTS
    }
    assert all("TOPCOOK_REQUIRE" in problem.message and problem.hint and problem.line for problem in asked)


def test_a_file_that_has_them_all_passes(tmp_path: Path, drop: Callable[..., Path]) -> None:
    path = drop("farm.py")
    body = "".join(f"    def {row.signature}:\n        return None\n" for row in MUSTS)
    path.write_text(path.read_text().replace("\ndef registerTypes", f"\n{body}\ndef registerTypes"))
    record = scanned(tmp_path / "types", TOPCOOK_REQUIRE="seed").scheduler("farm")
    assert record.state is State.OK


def test_what_ships_with_topcook_is_not_held_to_it(tmp_path: Path) -> None:
    assert scanned(tmp_path, TOPCOOK_REQUIRE="seed").scheduler("local").usable
