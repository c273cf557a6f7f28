"""A command line as the list of words a shell would make of it, where no shell is needed for that.

A shell costs more than a short job itself. So a command is read here when all its syntax is blanks, quotes and
backslashes; whatever else a POSIX shell (dash, or bash called sh) might do something about leaves it to ``/bin/sh``.
"""

from __future__ import annotations

import re

from topcook.lean import pattern

_SHELL = "/bin/sh"
#: Blanks and words without a special character: most commands, and no loop over characters.
_PLAIN = pattern(r"[A-Za-z0-9_@%+:,./ \t=-]*", re.ASCII)
#: Unquoted, each of these asks for a shell: lists, pipes, redirections, expansions, globs, braces, home directories.
_SHELL_ONLY = frozenset("|&;<>()$`\n*?[]{}~!^")
#: What a backslash protects between double quotes; anything else keeps its backslash.
_ESCAPED_IN_DOUBLE = frozenset('"\\$`')
#: First words that mean something to the shell itself. "true" and "false" do, too, but what they do is the same.
_SHELL_WORDS = frozenset(
    """
    ! [ [[ . : alias bg break builtin caller case cd chdir command compgen complete compopt continue coproc declare
    dirs disown do done echo elif else enable esac eval exec exit export fc fg fi for function getopts hash help
    history if in jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return select set
    shift shopt source suspend test then time times trap type typeset ulimit umask unalias unset until wait while
    """.split()  # noqa: SIM905 - seventy words read better as text
)


def command_argv(command: str) -> list[str]:
    """What to start for a command: its words, or ``/bin/sh -c`` where it has shell syntax."""
    return split_command(command) or [_SHELL, "-c", command]


def split_command(command: str) -> list[str] | None:
    """The words of a command without shell syntax; ``None`` when it needs a shell (or has no words at all)."""
    words = command.split() if _PLAIN.fullmatch(command) else _split_quoted(command)
    if not words:
        return None
    first = words[0]
    # An assignment before the command, a shell's own word, a job number, an empty name: the shell's business.
    if not first or "=" in first or first in _SHELL_WORDS or first.startswith("%"):
        return None
    return words


def _split_quoted(command: str) -> list[str] | None:
    words: list[str] = []
    word: list[str] | None = None
    place, end = 0, len(command)
    while place < end:
        char = command[place]
        place += 1
        if char in " \t":
            if word is not None:
                words.append("".join(word))
                word = None
            continue
        if char in _SHELL_ONLY or (char == "#" and word is None) or not (char.isascii() or char.isprintable()):
            return None
        word = [] if word is None else word
        if char in "'\"\\":
            quoted = _QUOTES[char](command, place)
            if quoted is None:
                return None
            text, place = quoted
            word.append(text)
        else:
            word.append(char)
    if word is not None:
        words.append("".join(word))
    return words


def _single(command: str, place: int) -> tuple[str, int] | None:
    end = command.find("'", place)
    return None if end < 0 else (command[place:end], end + 1)


def _double(command: str, place: int) -> tuple[str, int] | None:
    text: list[str] = []
    while place < len(command):
        char = command[place]
        place += 1
        if char == '"':
            return "".join(text), place
        if char in "$`":
            return None
        if char == "\\":
            following = command[place : place + 1]
            if following in ("", "\n"):
                return None
            if following in _ESCAPED_IN_DOUBLE:
                char = following
                place += 1
        text.append(char)
    return None


def _backslash(command: str, place: int) -> tuple[str, int] | None:
    following = command[place : place + 1]
    return None if following in ("", "\n") else (following, place + 1)


_QUOTES = {"'": _single, '"': _double, "\\": _backslash}
