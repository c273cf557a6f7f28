"""Open a file in the user's editor, at a line."""

from __future__ import annotations

import os
import shlex
import shutil

__all__ = ["editor_command"]

#: How an editor is told the line, by its program's name; {0} is the file, {1} the line.
_AT_LINE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("vi", "vim", "nvim", "gvim", "view", "nano", "emacs", "emacsclient", "joe", "mg", "kak", "gedit", "ne", "jed"),
        ("+{1}", "{0}"),
    ),
    **dict.fromkeys(("code", "code-insiders", "codium", "cursor"), ("--goto", "{0}:{1}", "--wait")),
    **dict.fromkeys(("subl", "zed", "hx", "helix", "micro"), ("{0}:{1}",)),
    **dict.fromkeys(("mate", "kate"), ("--line", "{1}", "{0}")),
    **dict.fromkeys(("pycharm", "charm", "idea"), ("--line", "{1}", "{0}")),
    "notepad++": ("-n{1}", "{0}"),
}
#: What is tried where the user names none.
_USUAL = ("sensible-editor", "nano", "vim", "vi") if os.name != "nt" else ("notepad",)


def editor_command(path: str, line: int) -> list[str] | None:
    """The command that opens ``path`` at ``line`` in $VISUAL, $EDITOR or what there is; ``None`` where there is none.

    An editor that is not known is given the file alone.
    """
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    words = shlex.split(named, posix=os.name != "nt") if named else []
    if not words:
        words = [next((each for each in _USUAL if shutil.which(each)), "")]
    if not words[0]:
        return None
    program = os.path.basename(words[0]).lower().removesuffix(".exe").removesuffix(".cmd")
    return [*words, *(part.format(path, line) for part in _AT_LINE.get(program, ("{0}",)))]
