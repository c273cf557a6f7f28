"""Problems of executing a types file."""

from __future__ import annotations

from topcook.model.problemcodes.row import Code

__all__ = ["LOADING"]

LOADING: tuple[Code, ...] = (
    Code(
        "syntax-error",
        "the file is no Python",
        "Python's compiler stops at the first mistake, so there may be more behind it. Often the mistake is at the "
        "end of the line above.",
    ),
    Code(
        "python-2",
        "the file is written for Python 2",
        "It may be a print statement, except Error, e:, a name such as unicode or xrange, or a module that has "
        "another name now. Lines that look alike are named too.",
        'print "submitting", name',
        'print("submitting", name)',
    ),
    Code(
        "encoding",
        "the file is not the text that it says to be",
        "A file of Python is UTF-8 unless a coding comment in its first two lines says otherwise. NUL bytes are "
        "what crashes and full disks leave behind.",
    ),
    Code(
        "missing-module",
        "a module that is imported is not there",
        "Clients of farms, user interfaces, modules in another environment and slips of the keyboard are told apart. "
        "Import a farm's client inside onStart, and the type can be listed and checked where the farm is not.",
        "import Deadline\n\nclass Farm(PyScheduler):",
        "class Farm(PyScheduler):\n    def onStart(self):\n        import Deadline",
    ),
    Code(
        "needs-houdini",
        "it imports what only a running Houdini has",
        "It can be used where Houdini runs it. If it asks little of hou, TOPCOOK_HOU=stub gives it a stand-in.",
    ),
    Code(
        "import-error",
        "a name or module cannot be imported, although something of that name is there",
        "It may be another version than the file was written for, or a library of the system that is missing.",
    ),
    Code(
        "relative-import",
        "a relative import leads nowhere",
        "A single file is no package: what lies beside it is imported by its plain name. In a folder with an "
        "__init__.py relative imports work.",
        "from . import helper",
        "import helper",
    ),
    Code(
        "circular-import",
        "two files import each other",
        "Each waits for what the other defines further down. Move what both need into a third file, or import inside "
        "the function that needs it.",
    ),
    Code(
        "raises",
        "the file raised an exception while it was executed, or registerTypes did",
        "Whatever stands outside of functions is executed by every listing. What may fail belongs into onStart.",
        'SERVER = os.environ["FARM_SERVER"]',
        'def onStart(self):\n    self.server = os.environ["FARM_SERVER"]',
    ),
    Code(
        "exits",
        "the file ends the program",
        "sys.exit is for programs. Raise an exception that says what is wrong, in onStart.",
    ),
    Code(
        "no-types",
        "there is no type in it",
        "A types file has a function registerTypes(type_registry) that registers its classes.",
        "class Farm(PyScheduler): ...",
        "class Farm(PyScheduler): ...\n\ndef registerTypes(type_registry):\n    type_registry.registerScheduler(Farm)",
    ),
    Code(
        "hook-async",
        "registerTypes is async or a generator",
        "Calling it would do nothing. Make it a plain function.",
    ),
    Code(
        "hook-arguments",
        "registerTypes cannot be called with the registry",
        "It is called with one argument, by position.",
        "def registerTypes(): ...",
        "def registerTypes(type_registry): ...",
    ),
    Code(
        "registers-nothing",
        "registerTypes registers nothing",
        "It was called and returned without a call of registerScheduler or registerNode.",
    ),
    Code(
        "registered-twice",
        "two classes of one file are registered under the same name",
        'The first one counts. Give the other a name of its own: registerScheduler(Other, name="other").',
    ),
    Code(
        "registers-otherwise",
        "the file registers other types now than when it was looked at",
        "What it registers hangs on the moment: on the environment, a server, or a file that it reads.",
    ),
    Code(
        "version-gone",
        "a file was edited since it was looked at",
        "The version that was looked at is not there any more. Start again, and the new one is looked at.",
    ),
    Code(
        "not-kept",
        "the source of a type was not kept",
        "The index could not store it. Start again, or see what topcook doctor says of the index.",
    ),
)
