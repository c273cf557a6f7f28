"""No farm: Python functions of nodes, on threads."""

from __future__ import annotations

from topcook.scaffold.kind import Kind
from topcook.scaffold.musts import MUSTS

__all__ = ["KIND"]

KIND = Kind(
    name="inprocess",
    sentence="Cooks work items that are Python functions of their node, on threads of this process.",
    about="""
An in-process work item has no command: cookWorkItem calls its node's function. A thread cannot be ended from outside,
so a canceled cook waits for those that are in the middle of an item.
""",
    imports=("time", "from concurrent.futures import ThreadPoolExecutor"),
    parms=(
        {
            "name": "threads",
            "label": "Threads",
            "type": "Integer",
            "value": 2,
            "help": "How many work items are cooked at a time.",
        },
    ),
    state="self._threads = None",
    bodies={
        "onStart": "self.setAcceptInProcess(True)\nreturn True",
        "onStartCook": MUSTS["onStartCook"].replace(
            "return True",
            'self._threads = ThreadPoolExecutor(max(self["@name@_threads"].evaluateInt(), 1), self.name)\nreturn True',
        ),
        "onStopCook": """
if self._threads is not None:
    self._threads.shutdown(wait=True, cancel_futures=True)
    self._threads = None
self.stopCallbackServer()
return True
""",
        "onSchedule": """
if not work_item.isInProcess:
    if not work_item.command:
        return pdg.scheduleResult.CookSucceeded  # there is nothing to do
    raise pdg.CookError(f"{self.name} cooks Python functions, and {work_item.name} has a command")
self._threads.submit(self._cook, work_item)
return pdg.scheduleResult.Succeeded  # taken: how it ends is told by _cook
""",
        "getLogURI": 'return ""  # what functions print is in the scheduler\'s own log',
    },
    helpers='''
def _cook(self, work_item):
    """Cook one item; runs on a thread of its own. An item whose end is not told waits for ever."""
    started = time.monotonic()
    self.onWorkItemStartCook(work_item.id, -1)
    try:
        self.cookWorkItem(work_item)
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
        self.onWorkItemAppendLog(work_item.id, -1, said, int(pdg.workItemLogType.Error))
        self.onWorkItemFailed(work_item.id, -1)
    else:
        self.onWorkItemSucceeded(work_item.id, -1, time.monotonic() - started)
''',
    network="""
[nodes.numbers]
type = "genericgenerator"
[nodes.numbers.parms]
framerange = [1, 4, 1]

[nodes.squares]
type = "pythonscript"
inputs = ["numbers"]
[nodes.squares.parms]
script = '''
number = work_item.frame ** 2
work_item.setFloatAttrib("square", number)
print("the square of frame", work_item.frame, "is", number)
'''
""",
)
