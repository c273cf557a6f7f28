"""What a scheduler must be: one table of every callback.

The validator, the reader of return values, the docs and Save To Python go by ``CALLBACKS``. Node classes have a
table of the same shape in ``node_callbacks``.

``seed`` quotes the sentence of the 17.5 help pages "Custom schedulers" and "Python Scheduler" that asks for
the callback; where these pages are silent it says what does ask for it.
"""

from __future__ import annotations

from enum import Enum

from topcook.lean import dataclass

__all__ = ["BY_NAME", "CALLBACKS", "CLASS_METHODS", "VERSION", "Callback", "Need", "Returns"]

#: Rises with every change of the tables, so that what was found out with an older table is found out again.
VERSION = 3


class Need(Enum):
    """Whether a class must bring a callback itself."""

    #: Nothing can stand in for it.
    REQUIRED = "required"
    #: The help page calls it a must; the base class has a default that truly works.
    DEFAULTED = "defaulted"
    #: A scheduler lives well without it.
    OPTIONAL = "optional"


class Returns(Enum):
    """What a callback may return; ``contract.returns`` has one reader for each."""

    # Enum's own hash is a Python function; members are compared by identity anyway.
    __hash__ = object.__hash__

    #: ``pdg.scheduleResult``; True is Succeeded, False is Failed, None is accepted (the result comes later).
    SCHEDULE = "pdg.scheduleResult"
    #: ``bool``; an int counts as one, None as True: the call was made and did not complain.
    BOOLEAN = "bool"
    #: ``pdg.tickResult``; True and None are SchedulerReady, False is SchedulerBusy.
    TICK = "pdg.tickResult"
    #: ``pdg.acceptResult``; True is Accept, False is Reject, None is Default.
    ACCEPT = "pdg.acceptResult"
    #: ``str``; None is the empty string.
    TEXT = "str"
    #: A status URI, or the pair (status URI, job id); None is the empty URI.
    SUBMISSION = "str or (str, str)"
    #: ``bool``, or the int 0 (not yet), 1 (ready), 2 (a dependency failed); None is not yet.
    READINESS = "bool or 0, 1, 2"
    #: ``pdg.result``; a bool or None as for BOOLEAN.
    RESULT = "pdg.result"
    #: A list of work items; None is none of them.
    ITEMS = "list of work items"
    #: Whatever it returns is ignored.
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Callback:
    """One row: a method that Topcook calls on a scheduler or node.

    ``args`` are passed by position, ``self`` left out; a class may leave out the last ``may_omit`` of them.
    ``field`` is the id of the Python Scheduler node's text field that holds its body, ``tab`` that node's tab.
    """

    name: str
    args: tuple[str, ...]
    need: Need
    returns: Returns
    sentence: str
    seed: str
    field: str = ""
    tab: str = ""
    may_omit: int = 0
    is_static: bool = False

    @property
    def signature(self) -> str:
        """The ``def`` line's inside as an author types it: ``onStopCook(self, cancel)``."""
        first = () if self.is_static else ("self",)
        return f"{self.name}({', '.join((*first, *self.args))})"


_LATER = "The PDG API of later Houdini versions."

CALLBACKS: tuple[Callback, ...] = (
    Callback(
        "onSchedule",
        ("work_item",),
        Need.REQUIRED,
        Returns.SCHEDULE,
        "Takes one work item that is ready, and makes a job of it.",
        'This is the key method that does the "real work" of scheduling jobs.',
        field="onschedule",
        tab="Scheduling",
    ),
    Callback(
        "onScheduleStatic",
        ("dependencies", "dependents", "ready_items"),
        Need.DEFAULTED,
        Returns.NOTHING,
        "Takes all static items with their dependencies at the start of a cook; without it the cook drives them.",
        'This is called once at the start of a cook, so your code can schedule all "statically known" work items.',
        field="onschedulestatic",
        tab="Scheduling",
    ),
    Callback(
        "onStart",
        (),
        Need.DEFAULTED,
        Returns.BOOLEAN,
        "Sets up what lives as long as the scheduler does; called when it joins a network.",
        "Called when the scheduler is registered with PDG.",
        field="onstart",
        tab="Initialization and Cleanup",
    ),
    Callback(
        "onStop",
        (),
        Need.DEFAULTED,
        Returns.BOOLEAN,
        "Cleans up what onStart set up; called when the scheduler leaves the network, parms still readable.",
        "Called when the scheduler is unregistered with PDG.",
        field="onstop",
        tab="Initialization and Cleanup",
    ),
    Callback(
        "onStartCook",
        ("static", "cook_set"),
        Need.DEFAULTED,
        Returns.BOOLEAN,
        "Prepares a cook, after static generation and before the first hand-over; False or an exception ends the cook.",
        "Called when a cook starts.",
        field="onstartcook",
        tab="Initialization and Cleanup",
    ),
    Callback(
        "onStopCook",
        ("cancel",),
        Need.DEFAULTED,
        Returns.BOOLEAN,
        "Ends a cook; with cancel it ends its jobs, and returns when they are gone. May be called twice.",
        "Called when cook completes or is canceled.",
        field="onstopcook",
        tab="Initialization and Cleanup",
        may_omit=1,
    ),
    Callback(
        "onTick",
        (),
        Need.OPTIONAL,
        Returns.TICK,
        "Called again and again while cooking, also before the first hand-over: the place to poll a farm.",
        "If the scheduler requires polling to detect status changes, you could start a Python (or Qt) timer thread "
        "to check the status periodically.",
        field="ontick",
        tab="Scheduling",
    ),
    Callback(
        "onSetupCook",
        (),
        Need.OPTIONAL,
        Returns.BOOLEAN,
        "Called between onStartCook and the first hand-over, for directories and connections.",
        _LATER,
    ),
    Callback(
        "onCancelWorkItems",
        ("work_items", "node"),
        Need.OPTIONAL,
        Returns.NOTHING,
        "Ends the jobs of these items while the cook goes on; node may be None.",
        _LATER,
    ),
    Callback(
        "onAdoptWorkItems",
        ("jobs",),
        Need.OPTIONAL,
        Returns.ITEMS,
        "Takes up jobs that a cook which goes on has left: of each (work_item, token, job id) those it has again.",
        "Topcook's own: PDG's cooks do not go on.",
    ),
    Callback(
        "onLeaveWorkItems",
        ("work_items",),
        Need.OPTIONAL,
        Returns.ITEMS,
        "Says of which of these items the jobs go on without the cook, for onAdoptWorkItems to find them later.",
        "Topcook's own: PDG's cooks are not let go.",
    ),
    Callback(
        "onAcceptWorkItem",
        ("work_item",),
        Need.OPTIONAL,
        Returns.ACCEPT,
        "Says whether this scheduler wants the item at all; asked before onSchedule, Reject fails the item.",
        _LATER,
    ),
    Callback(
        "submitAsJob",
        ("graph_file", "node_path"),
        Need.OPTIONAL,
        Returns.SUBMISSION,
        "Makes one job of the cook of a whole network, and returns where to watch it.",
        "This is called if a user tries to submit an entire TOP network as a single job.",
        field="submitasjob",
        tab="Submit As Job",
    ),
    Callback(
        "workingDir",
        ("local",),
        Need.DEFAULTED,
        Returns.TEXT,
        "The working directory, as this machine (local) or as the farm names it.",
        "This should return a path string representing the TOP network's working directory on the machine where "
        "the code runs.",
        field="workingdir",
        tab="File Paths",
    ),
    Callback(
        "localizePath",
        ("path",),
        Need.DEFAULTED,
        Returns.TEXT,
        "The absolute path, valid on this machine, of one that starts at a directory token.",
        "This snippet should take a file path string that's relative to `__PDG_SHARED_ROOT__` and return an "
        "absolute path valid for the machine the code is running on.",
        field="localizepath",
        tab="File Paths",
    ),
    Callback(
        "delocalizePath",
        ("path",),
        Need.OPTIONAL,
        Returns.TEXT,
        "The inverse of localizePath: a path in which this machine's directory is a token.",
        _LATER,
    ),
    Callback(
        "transferFile",
        ("file_path",),
        Need.DEFAULTED,
        Returns.BOOLEAN,
        "Copies a file that work items depend on into the working directory.",
        "Called when a file dependency at `file_path` should be copied from the local machine to a remote location "
        "(e.g. a shared network drive).",
        field="transferfile",
        tab="Shared Server",
    ),
    Callback(
        "onTransferFile",
        ("file_path",),
        Need.OPTIONAL,
        Returns.BOOLEAN,
        "Called for a file dependency in place of transferFile, which it may call.",
        "The name that Save To Python gives the transfer field in later Houdini versions.",
    ),
    Callback(
        "endSharedServer",
        ("sharedserver_name",),
        Need.OPTIONAL,
        Returns.BOOLEAN,
        "Ends the shared server of that name.",
        "Closes an existing shared server instance.",
        field="endsharedserver",
        tab="Shared Server",
    ),
    Callback(
        "onSharedServerStarted",
        ("args",),
        Need.OPTIONAL,
        Returns.BOOLEAN,
        "Told by a job that it started a shared server: a dict of name, pid, host, port, proto_type.",
        _LATER,
    ),
    Callback(
        "workItemResultServerAddr",
        (),
        Need.OPTIONAL,
        Returns.TEXT,
        "The host:port to which jobs report.",
        "Returns the results server address.",
        field="workitemresultserveraddr",
        tab="Shared Server",
    ),
    Callback(
        "getLogURI",
        ("work_item",),
        Need.DEFAULTED,
        Returns.TEXT,
        "Where the log of the item's job can be read; empty when there is none.",
        "For the work item, return a URL the system can retrieve to show the corresponding job's output/error logs.",
        field="getloguri",
        tab="Logging",
    ),
    Callback(
        "getStatusURI",
        ("work_item",),
        Need.DEFAULTED,
        Returns.TEXT,
        "Where the state of the item's job can be watched; empty when nowhere.",
        "For the work item, return a URL the system can open to show the corresponding job's status.",
        field="getstatusuri",
        tab="Logging",
    ),
    Callback(
        "applicationBin",
        ("name", "work_item"),
        Need.OPTIONAL,
        Returns.TEXT,
        "The program that stands for an application name ('python', 'hython') on the farm; work_item may be None.",
        _LATER,
    ),
    Callback(
        "expandCommandTokens",
        ("item_command", "work_item"),
        Need.OPTIONAL,
        Returns.TEXT,
        "The command with its __PDG_…__ tokens replaced, in one pass; work_item may be None.",
        _LATER,
    ),
    Callback(
        "onPreSubmitItem",
        ("work_item", "job_env", "item_command"),
        Need.OPTIONAL,
        Returns.TEXT,
        "A last look at a job's command and environment; returns the command to run.",
        _LATER,
    ),
    Callback(
        "tempDir",
        ("local",),
        Need.OPTIONAL,
        Returns.TEXT,
        "The cook's directory for temporary files, as this machine or as the farm names it.",
        _LATER,
    ),
    Callback(
        "scriptDir",
        ("local",),
        Need.OPTIONAL,
        Returns.TEXT,
        "The directory of the scripts that jobs import.",
        _LATER,
    ),
    Callback(
        "dataDir",
        ("local",),
        Need.OPTIONAL,
        Returns.TEXT,
        "The directory of the items' data files.",
        _LATER,
    ),
    Callback(
        "logDir",
        ("local",),
        Need.OPTIONAL,
        Returns.TEXT,
        "The directory of the jobs' logs.",
        _LATER,
    ),
    Callback(
        "isWorkItemReady",
        ("name_or_id", "index"),
        Need.OPTIONAL,
        Returns.READINESS,
        "Whether a batch's job may go on with its sub-item index.",
        _LATER,
    ),
    Callback(
        "startService",
        ("service",),
        Need.OPTIONAL,
        Returns.BOOLEAN,
        "Starts a service for the network.",
        _LATER,
    ),
    Callback(
        "stopService",
        ("service",),
        Need.OPTIONAL,
        Returns.BOOLEAN,
        "Ends a service.",
        _LATER,
    ),
    Callback(
        "hasServiceSupport",
        (),
        Need.OPTIONAL,
        Returns.BOOLEAN,
        "Whether schedulers of this type can run services.",
        _LATER,
        is_static=True,
    ),
)

#: Asked of the class, before there is an instance.
CLASS_METHODS: tuple[str, ...] = ("templateName", "templateBody")

BY_NAME: dict[str, Callback] = {row.name: row for row in CALLBACKS}
