"""Commands without a shell: the words are those that /bin/sh would make, or a shell is asked."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from topcook.author import command_argv, split_command


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("render", ["render"]),
        ("  render\t-f  1 ", ["render", "-f", "1"]),
        ("/usr/bin/env A=b c", ["/usr/bin/env", "A=b", "c"]),
        ("""render "a b" 'c "d"' "e 'f'" """, ["render", "a b", 'c "d"', "e 'f'"]),
        ("render \"\" ''", ["render", "", ""]),
        ("render a'b c'\"d e\"f", ["render", "ab cd ef"]),
        (r"render a\ b \$HOME \\", ["render", "a b", "$HOME", "\\"]),
        (r'render "\$5 \"x\" \a \\"', ["render", '$5 "x" \\a \\']),
        ("render '$HOME `x` * \\'", ["render", "$HOME `x` * \\"]),
        ("render 'a\nb'", ["render", "a\nb"]),
        ("render a#b", ["render", "a#b"]),
        ("render --opt=a,b:c@d%e", ["render", "--opt=a,b:c@d%e"]),
        ("render größe 'ß'", ["render", "größe", "ß"]),
        ("'render' x", ["render", "x"]),
        (r'render.exe "C:\new\table"', ["render.exe", r"C:\new\table"]),
    ],
)
def test_quotes_and_blanks_need_no_shell(command: str, words: list[str]) -> None:
    assert split_command(command) == words
    assert command_argv(command) == words


@pytest.mark.parametrize(
    "command",
    [
        "a | b", "a; b", "a && b", "a & ", "a > b", "a < b", "a 2>&1", "a $X", "a ${X}", 'a "$X"', "a `b`", 'a "`b`"',
        "a *.exr", "a b?", "a [ab]", "a {b,c}", "a ~", "a ~/b", "(a)", "a\nb", "A=b c", "a=b", "# a", "a # b", "! a",
        "cd /tmp", "exit 3", "export A", "if a", "echo x", "test a", "[ a ]", ". x", "a \\", 'a "', "a '", 'a "b\\',
        "a \\\nb", 'a "b\\\nc"', "", "   ", "'' a", "a\u00a0b", "%1", "a^b",
    ],
)  # fmt: skip
def test_what_a_shell_might_treat_otherwise_is_left_to_it(command: str) -> None:
    assert split_command(command) is None
    assert command_argv(command) == ["/bin/sh", "-c", command]


CHARACTERS = st.sampled_from("ab 1\t\n'\"\\$`|&;<>()*?[]{}~#=%!^@:,./-+_é\u00a0\r\v\x7f😀")


@given(st.text(CHARACTERS, max_size=24))
@example("'a'b\"c\\d\"\\e")
@example("a\rb")
@example("-- -n 'x\ty'")
@settings(max_examples=150, deadline=None)
def test_the_words_are_those_of_the_shell(tmp_path_factory: pytest.TempPathFactory, rest: str) -> None:
    words = split_command(f"show {rest}")
    if words is None:
        return
    tools = tmp_path_factory.getbasetemp() / "show-tools"
    if not tools.exists():
        tools.mkdir()
        (tools / "show").write_text("#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done\n")
        (tools / "show").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", f"show {rest}"],
        env={"PATH": f"{tools}:/usr/bin:/bin"},
        cwd=tools,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().split("\0")[:-1] == words[1:]


FIRST = st.sampled_from(
    ["cd", "echo", "true", "A=1", "a", "'a'", "if", "{", "}", "time", "-a", "a=", "=a", "'A'=1", "%", "\\cd", "exec"]
)


@given(FIRST)
def test_a_first_word_that_is_not_the_shells_own_names_a_program(word: str) -> None:
    words = split_command(f"{word} x")
    if words is None:
        return
    shown = subprocess.run(["/bin/sh", "-c", f"command -v {word}"], capture_output=True, text=True, check=False)
    # "true" is built in as well as a program, and does the same.
    assert shown.stdout.strip() in {"", "true"} or shown.stdout.startswith("/")
