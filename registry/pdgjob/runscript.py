"""Runs a Python Script item's script inside its job, with ``work_item`` in scope.

``runscript.py [--file PATH] [ARGUMENT…]``: without a file, the script is the item's attribute ``pdg_script``, and
``pdg_scriptplace`` says where its first line stands, so that a traceback shows the line of the network file.
"""

import ast
import os
import sys

from pdgjob import _batch, pdgjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType


def script_of(work_item: "pdgjson.WorkItem") -> "tuple[CodeType, str]":
    """The item's script, compiled, and the path it is quoted under."""
    text = work_item.stringAttribValue("pdg_script") or ""
    path, _, line = (work_item.stringAttribValue("pdg_scriptplace") or "<script>:1").rpartition(":")
    module = ast.increment_lineno(ast.parse(text, path), int(line) - 1)
    return compile(module, path, "exec"), path


def file_script(path: str) -> "tuple[CodeType, str]":
    """A script file, compiled, and its path; its folder can be imported from, as when Python runs it."""
    with open(path, "rb") as stream:
        code = compile(stream.read(), path, "exec")
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    return code, path


def main(arguments: "list[str]") -> None:
    """Run the script as ``__main__``, in a batch for each sub-item; an exception ends the job as any Python program."""
    work_item = pdgjson.WorkItem.fromJobEnvironment()
    if arguments[:1] == ["--file"]:
        (code, path), rest = file_script(arguments[1]), arguments[2:]
    else:
        (code, path), rest = script_of(work_item), arguments
    sys.argv = [path, *rest]

    def run(item: "pdgjson.WorkItem") -> None:
        exec(code, {"__name__": "__main__", "__file__": path, "work_item": item})  # noqa: S102

    if not work_item.isBatch:
        run(work_item)
    elif _batch.each(work_item, lambda item: _batch.python_failure(lambda: run(item))):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
