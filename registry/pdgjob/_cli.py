"""``pdgcmd.py`` on the command line: one report, for scripts in any language."""

import os
import sys

from pdgjob import _link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

USAGE = """usage: pdgcmd.py COMMAND [ARGUMENT...] [OPTION...]

  --start | --success | --fail | --cancel      the state of the item
  addOutputFile PATH... [--tag TAG] [--hash N] [--and-success]
  setStringAttrib | setIntAttrib | setFloatAttrib | setFileAttrib NAME VALUE [--index N]
  setStringAttribArray | setIntAttribArray | setFloatAttribArray | setFileAttribArray NAME VALUE...
  setCookPercent FRACTION      setCustomState TEXT      appendLog TEXT [--type 0..3]
  warning TEXT      keepalive      invalidateCache      waitUntilReady --sub N      getWorkItemJSON

options: --item ID-OR-NAME   --sub N   --server HOST:PORT   --duration SECONDS   --quiet
The item and the server come from the job's environment (PDG_ITEM_ID, PDG_RESULT_SERVER) unless they are given.
Exit status: 0 reported, or no server to report to; 1 refused or unreachable; 2 a mistake in the command line.
"""

_MANY = -1
#: Command: the module and function, and how many arguments it takes (-1: one or more).
COMMANDS = {
    "--start": ("_report", "workItemStartCook", 0),
    "--success": ("_report", "workItemSuccess", 0),
    "--fail": ("_report", "workItemFailed", 0),
    "--cancel": ("_report", "workItemCancelled", 0),
    "addOutputFile": ("_report", "addOutputFile", _MANY),
    "setStringAttrib": ("_set", "setStringAttrib", 2),
    "setIntAttrib": ("_set", "setIntAttrib", 2),
    "setFloatAttrib": ("_set", "setFloatAttrib", 2),
    "setFileAttrib": ("_set", "setFileAttrib", 2),
    "setStringAttribArray": ("_set", "setStringAttribArray", _MANY),
    "setIntAttribArray": ("_set", "setIntAttribArray", _MANY),
    "setFloatAttribArray": ("_set", "setFloatAttribArray", _MANY),
    "setFileAttribArray": ("_set", "setFileAttribArray", _MANY),
    "setCookPercent": ("_report", "workItemSetCookPercent", 1),
    "setCustomState": ("_report", "workItemSetCustomState", 1),
    "appendLog": ("_report", "workItemAppendLog", 1),
    "warning": ("_report", "warning", 1),
    "keepalive": ("_report", "keepalive", 0),
    "invalidateCache": ("_report", "invalidateCache", 0),
    "waitUntilReady": ("_ask", "waitUntilReady", 0),
    "getWorkItemJSON": ("_ask", "getWorkItemJSON", 0),
}
#: Option: the function's argument, and how its text is read (None: a switch that means this value).
OPTIONS = {
    "--item": ("workitem_id", str),
    "--sub": ("subindex", int),
    "--server": ("server_addr", str),
    "--duration": ("duration", float),
    "--tag": ("result_data_tag", str),
    "--hash": ("hash_code", int),
    "--index": ("attr_index", int),
    "--type": ("log_type", int),
}
SWITCHES = {"--quiet": ("to_stdout", False), "--and-success": ("and_success", True)}


def main(words: "list[str]") -> int:
    """Do what the command line says; returns the exit status."""
    if not words or words[0] in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0 if words else 2
    try:
        function, args, options = _read(words)
    except ValueError as problem:
        sys.stderr.write("pdgcmd: %s\n\n%s" % (problem, USAGE))
        return 2
    try:
        answer = function(*args, **options)
    except TypeError as problem:
        sys.stderr.write("pdgcmd: %s: an option that this command does not take (%s)\n" % (words[0], problem))
        return 2
    except (_link.RpcError, ValueError) as problem:
        _link.complain("%s: %s" % (words[0], problem))
        return 1
    if words[0] == "getWorkItemJSON" and answer is not None:
        sys.stdout.write("%s\n" % answer)
    return 0


def run(words: "list[str]") -> None:
    """Do what the command line says and end the process at once: there is nothing of it to tidy up."""
    status = main(words)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # closed, or not there: nobody listens
            continue
    os._exit(status)


def _read(words: "list[str]") -> "tuple[Any, list[Any], dict[str, Any]]":
    if words[0] not in COMMANDS:
        raise ValueError('there is no command "%s"' % words[0])
    module, name, count = COMMANDS[words[0]]
    given, options = [], {}  # type: list[str], dict[str, Any]
    rest = iter(words[1:])
    for word in rest:
        if word == "--":
            given.extend(rest)
        elif word in SWITCHES:
            argument, value = SWITCHES[word]
            options[argument] = value
        elif word in OPTIONS:
            options.update([_option(word, next(rest, None))])
        elif word.startswith("--"):
            raise ValueError('there is no option "%s"; a value that begins with dashes comes after --' % word)
        else:
            given.append(word)
    if (count != _MANY and len(given) != count) or (count == _MANY and not given):
        wanted = "at least 1" if count == _MANY else str(count)
        raise ValueError("%s takes %s arguments, got %d" % (words[0], wanted, len(given)))
    # Each command loads only what it needs: it is started anew for every report.
    found = getattr(__import__("pdgjob." + module, fromlist=[name]), name)
    return found, _arguments(words[0], given), options


def _option(word: str, text: "str | None") -> "tuple[str, Any]":
    argument, read = OPTIONS[word]
    if text is None:
        raise ValueError("%s needs a value" % word)
    try:
        return argument, read(text)
    except ValueError:
        raise ValueError('%s: "%s" is no number' % (word, text)) from None


def _arguments(command: str, given: "list[str]") -> "list[Any]":
    if command.endswith("AttribArray"):
        return [given[0], given[1:]]
    if command == "addOutputFile" and len(given) > 1:
        return [given]
    if command == "setCookPercent":
        return [float(given[0])]
    return list(given)
