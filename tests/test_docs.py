"""What can be typed or written is in the docs, and what the docs point at exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part in {"work", "dist", "build"} for part in path.relative_to(ROOT).parts)
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page_points_only_at_what_exists(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


def test_readme_shows_the_menu_as_it_is() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "topcook", "list"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PDG_TYPES_PATH": str(ROOT / "examples" / "wedge_sim" / "types")},
    ).stdout
    shown = re.search(r"topcook list\n(.*?)```", read("README.md"), flags=re.DOTALL)
    assert shown
    # The checkout stands elsewhere; all else is to be the same.
    assert shown[1].replace("/home/me/topcook", str(ROOT)) == listed


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    names = [re.split(r"[<>=~! ]", line)[0] for line in project["dependencies"]]
    reasons = read("docs/decisions/0002-dependencies.md")
    assert not [name for name in names if f"| {name} |" not in reasons]


def test_every_make_target_explains_itself() -> None:
    makefile = read("Makefile")
    phony = next(line for line in makefile.splitlines() if line.startswith(".PHONY:")).split()[1:]
    listed = subprocess.run(["make", "-C", ROOT, "help"], capture_output=True, text=True, check=True).stdout
    assert not [target for target in phony if f"  {target} " not in listed]


def test_contributing_fits_a_screen_and_starts_with_what_we_do_not_want() -> None:
    lines = read("CONTRIBUTING.md").splitlines()
    assert len(lines) <= 60
    assert lines[2] == "## What we do not want"


def test_every_changelog_fragment_names_its_issue_and_its_kind() -> None:
    kinds = re.findall(r"^- `(\w+)`:", read("changelog.d/README.md"), flags=re.MULTILINE)
    assert kinds == ["added", "changed", "fixed", "removed", "docs"]
    name = re.compile(rf"\d+\.({'|'.join(kinds)})(\.[\w-]+)?\.md")
    fragments = [path.name for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md"]
    assert not [fragment for fragment in fragments if not name.fullmatch(fragment)]


def test_pages_made_from_the_code_are_up_to_date() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "tools" / "render_docs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr


def test_every_command_and_option_is_in_the_docs() -> None:
    from topcook.cli.group import topcook

    page = read("docs/command-line.md")
    context = click.Context(topcook)
    shown = {name: topcook.get_command(context, name) for name in topcook.list_commands(context)}
    assert shown.keys() >= {"list", "check", "expand", "cook"}
    sections = dict(re.findall(r"^## `topcook (\w+)`\n(.*?)(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL))
    missing = [
        f"{name} {option}"
        for name, command in shown.items()
        if command and not command.hidden
        for parm in command.params
        if isinstance(parm, click.Option) and not parm.hidden
        for option in parm.opts
        if f"`{option}`" not in sections.get(name, "")
    ]
    assert not missing


def test_every_callback_is_in_the_docs() -> None:
    from topcook.contract.callbacks import CALLBACKS
    from topcook.contract.node_callbacks import NODE_CALLBACKS

    page = read("docs/callbacks.md")
    rows = [*CALLBACKS, *(row for table in NODE_CALLBACKS.values() for row in table)]
    assert not [row.name for row in rows if f"| `{row.signature}` | {row.need.value} |" not in page]
