"""Problems of scheduler and node classes, held against the contract tables."""

from __future__ import annotations

from topcook.model.problemcodes.row import Code

__all__ = ["CONTRACT"]

CONTRACT: tuple[Code, ...] = (
    Code(
        "missing-callback",
        "a callback that must be there is not",
        "Nothing can stand in for it: without onSchedule no work item would ever run. A class that does not derive "
        "from PyScheduler has no defaults, and must bring those callbacks too that PyScheduler would have. A method "
        "whose name is a slip away from the missing one is pointed at.",
        "class Farm(PyScheduler):\n    def on_shedule(self, work_item): ...",
        "class Farm(PyScheduler):\n    def onSchedule(self, work_item): ...",
    ),
    Code(
        "mistyped-callback",
        "a method's name is a slip away from a callback",
        "Nobody calls it, and the base class answers in its place, so the mistake would never show. If the name is "
        "meant, put an underscore before it.",
        "def getlogURI(self, work_item): ...",
        "def getLogURI(self, work_item): ...",
    ),
    Code(
        "not-implemented-here",
        "the base class answers for a callback that the help page calls a must",
        "Found with --strict only. The default of the base class works, but what you write for it may not be what "
        "your farm needs.",
    ),
    Code(
        "required-by-seed",
        "a callback has to stand in the file itself",
        'The configuration says require = "seed": everything that the help page of Houdini calls a must has to be '
        "written, a default does not count.",
    ),
    Code(
        "too-many-parameters",
        "a callback demands more than it is given",
        "Callbacks are called by position, with what their row in the table says. The call would raise TypeError.",
        "def onStop(self, why): ...",
        "def onStop(self): ...",
    ),
    Code(
        "too-few-parameters",
        "a callback takes less than it is given",
        "Callbacks are called by position, with what their row in the table says. The call would raise TypeError.",
        "def getLogURI(self): ...",
        "def getLogURI(self, work_item): ...",
    ),
    Code(
        "keyword-only",
        "a parameter can only be given by its name, and nobody gives it",
        "Callbacks are called by position. What stands behind a * needs a default.",
        "def onStartCook(self, static, *, cook_set): ...",
        "def onStartCook(self, static, cook_set): ...",
    ),
    Code(
        "wrong-order",
        "the parameters have the right names in the wrong order",
        "They are passed by position, so each would be taken for another.",
        "def onScheduleStatic(self, dependents, dependencies, ready_items): ...",
        "def onScheduleStatic(self, dependencies, dependents, ready_items): ...",
    ),
    Code(
        "async-callback",
        "a callback is async",
        "Calling it would give a coroutine that nobody awaits: nothing in it would ever run. Run a loop of your own "
        "inside a plain method.",
        "async def onStart(self):\n    await connect()",
        "def onStart(self):\n    asyncio.run(connect())",
    ),
    Code(
        "generator",
        "a callback is a generator",
        "Calling it would give a generator that nobody goes through: nothing in it would ever run.",
        "def onTick(self):\n    yield pdg.tickResult.SchedulerReady",
        "def onTick(self):\n    return pdg.tickResult.SchedulerReady",
    ),
    Code(
        "wrong-kind",
        "a callback is no plain method, or templateName and templateBody are no class methods",
        "Callbacks are called on the instance, the two template methods on the class, before there is an instance.",
        "@staticmethod\ndef onTick(): ...",
        "def onTick(self): ...",
    ),
    Code(
        "abstract-class",
        "the class cannot be made an instance of: it is abstract",
        "Methods that a base marks as abstract have to be implemented, or another class registered.",
    ),
    Code(
        "wrong-init",
        "__init__ cannot be called with a scheduler and a name",
        "That is how every scheduler is made. Pass both on to the base class.",
        "def __init__(self):\n    self.jobs = {}",
        "def __init__(self, scheduler, name):\n    PyScheduler.__init__(self, scheduler, name)\n    self.jobs = {}",
    ),
    Code(
        "wrong-new",
        "__new__, or the metaclass, cannot be called with a scheduler and a name",
        "That is how every scheduler is made. It was told from the parameters: the class was not called.",
    ),
    Code(
        "not-a-class",
        "what was registered is no class",
        "Topcook makes the instances itself, one for each scheduler of a network.",
        'type_registry.registerScheduler(Farm())\ntype_registry.registerScheduler("Farm")',
        "type_registry.registerScheduler(Farm)",
    ),
    Code(
        "template-body",
        "templateBody does not return a JSON object with a list of parameters",
        "The place inside the JSON is the file's own where the text stands in it as a literal. Easiest is to return "
        "json.dumps of a dict.",
        'return \'{"name": "farm", "parameters": [}\'',
        'return json.dumps({"name": "farm", "parameters": []})',
    ),
    Code(
        "template-name",
        "templateName returns something that is no name",
        "A type's name is typed and written into networks: one word without blanks.",
        'return "My Farm"',
        'return "myfarm"',
    ),
    Code(
        "template-raises",
        "templateName or templateBody raised",
        "Both are called on the class while it is registered, before there is an instance or a farm.",
    ),
    Code(
        "unknown-parm-type",
        "a parm has a type that there is not",
        "There are String, Integer, Float and Toggle. The parm is taken for a String.",
        '{"name": "cpus", "type": "Intger"}',
        '{"name": "cpus", "type": "Integer"}',
    ),
    Code(
        "duplicate-parm",
        "a template declares a parm twice",
        "The first declaration counts.",
    ),
    Code(
        "parm-value",
        "a parm's value or size does not suit its type",
        "The value counts as missing. A secret parm must not have a value in the template at all.",
    ),
)
