"""docs/configuration.md says what the table of keys says, and its example is a configuration."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from topcook.config import KEYS
from topcook.config.shapes import DOCUMENT

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_the_page_has_a_row_for_every_key_with_its_variable_and_sentence() -> None:
    for key in KEYS:
        (row,) = re.findall(rf"^\| `{re.escape(key.name)}` \|.*$", PAGE, re.MULTILINE)
        _, _, variable, default, said, _ = row.split("|")
        assert variable.strip(" `") == key.variable
        assert said.strip() == key.help
        words: dict[object, object] = {(): "none", None: "any"}
        written = str(words.get(key.default, key.default)).lower() if key.default != {} else "none"
        assert default.strip() == written


def test_the_example_has_every_key_and_no_mistake() -> None:
    document = tomllib.loads(PAGE.split("```toml\n")[1].split("```")[0])
    assert not list(DOCUMENT(document, ()))
    for key in KEYS:
        value = document
        for part in key.name.split("."):
            value = value[part]
    assert "locked" in document
