"""The parms that every scheduler node and every node has, whatever its type declares."""

from __future__ import annotations

from topcook.model.parms import Parms, ParmSpec

#: PDG's parms of every scheduler node, with PDG's defaults.
SCHEDULER_PARMS: tuple[ParmSpec, ...] = (
    ParmSpec(
        "pdg_workingdir",
        "String",
        "Working Directory",
        default=("$HIP",),
        help="Where work items write, as seen from this machine.",
    ),
    ParmSpec("localsharedroot", "String", "Local Shared Root", help="pdg_workingdir is relative to it, here."),
    ParmSpec("remotesharedroot", "String", "Remote Shared Root", help="pdg_workingdir is relative to it, on the farm."),
    ParmSpec("pdg_mapmode", "Integer", "Path Mapping", default=(0,), help="0: jobs get the path map, 1: they do not."),
    ParmSpec("pdg_usemapzone", "Toggle", "Use Path Map Zone", default=(False,), help="Whether pdg_mapzone counts."),
    ParmSpec("pdg_mapzone", "String", "Path Map Zone", help="The zone of this scheduler's jobs: LINUX, WIN, MAC, …"),
    ParmSpec(
        "pdg_usemaxtasks",
        "Toggle",
        "Limit Jobs",
        default=(False,),
        help="Whether pdg_maxtasks counts; left alone, it does when it is given.",
    ),
    ParmSpec("pdg_maxtasks", "Integer", "Maximum Jobs", default=(0,), help="Jobs in flight at most, 0: any number."),
    ParmSpec(
        "pdg_workitemdatasource",
        "Integer",
        "Work Item Data Source",
        default=(0,),
        help="0: a JSON file for each item, 1: by message from the result server.",
    ),
    ParmSpec(
        "pdg_deletetempdir",
        "Integer",
        "Delete Temp Dir",
        default=(0,),
        help="0: never, 1: when the scheduler is deleted, 2: when the cook completes.",
    ),
    ParmSpec("pdg_compressworkitemdata", "Toggle", "Compress Work Item Data", default=(False,)),
    ParmSpec("pdg_validateoutputs", "Toggle", "Validate Outputs When Recooking", default=(True,)),
    ParmSpec(
        "pdg_checkexpectedoutputs",
        "Toggle",
        "Check Expected Outputs on Disk",
        default=(True,),
        help="A declared output that is not there after the job fails its item.",
    ),
    ParmSpec("pdg_waitforfailures", "Toggle", "Block on Failed Work Items", default=(False,)),
    ParmSpec("pdg_tickperiod", "Float", "Tick Period", default=(0.5,), help="Seconds between two onTick calls."),
    ParmSpec(
        "pdg_maxitems",
        "Integer",
        "Max Items",
        default=(30,),
        help="onSchedule calls between two ticks at most, 0: any number.",
    ),
    ParmSpec(
        "topcook_static",
        "Toggle",
        "Give Static Items at Once",
        default=(False,),
        help="Whether it gets all static items by one onScheduleStatic; left alone, its type decides.",
    ),
    ParmSpec(
        "topcook_serverbind",
        "String",
        "Result Server: Listen On",
        help="The address that jobs' reports come in at; blank: loopback, or every interface for a farm's scheduler.",
    ),
    ParmSpec(
        "topcook_serveraddress",
        "String",
        "Result Server: Tell Jobs",
        help="The host name or IPv4 address that jobs are told; blank: this host's name.",
    ),
    ParmSpec(
        "topcook_serverports",
        "String",
        "Result Server: Ports",
        help='First and last port, such as "40000-40100"; blank: any free port.',
    ),
    ParmSpec(
        "topcook_oldclients",
        "Toggle",
        "Take Reports Without Secret",
        default=(False,),
        help="For job scripts of old that cannot send the secret: whoever reaches the port can report then.",
    ),
    ParmSpec(
        "topcook_secretmode",
        "String",
        "Secret File: Mode",
        default=("600",),
        help="Octal; 640 with a group where jobs run as another user. Nobody else may ever read it.",
    ),
    ParmSpec(
        "topcook_secretgroup",
        "String",
        "Secret File: Group",
        help="The group of the file beside pdgcmd.py that holds the session's secret; blank: the user's own.",
    ),
)

#: Parms of every node that makes work items.
NODE_PARMS: tuple[ParmSpec, ...] = (
    ParmSpec("pdg_workitemlabel", "String", "Work Item Label", help="The label of each item; may hold @attributes."),
    ParmSpec(
        "pdg_workitemgeneration",
        "String",
        "Generate When",
        default=("automatic",),
        tags=frozenset({"menu"}),
        help="automatic, allgenerated (static), allcooked, eachcooked (dynamic).",
    ),
    ParmSpec(
        "pdg_cachemode",
        "String",
        "Cache Mode",
        default=("automatic",),
        tags=frozenset({"menu"}),
        help="automatic, automaticignore (whatever became of the inputs), alwaysread (never cook), alwayswrite.",
    ),
    # What follows: an item's attribute of the same name beats the node's parm.
    ParmSpec("pdg_retries", "Integer", "Retries", default=(0,), help="How often an item that failed is tried again."),
    ParmSpec("pdg_retrydelay", "Float", "Retry Delay", default=(0.0,), help="Seconds before the first retry."),
    ParmSpec(
        "pdg_retrybackoff",
        "Float",
        "Retry Backoff",
        default=(2.0,),
        help="Each further retry waits so many times longer.",
    ),
    ParmSpec("pdg_retrymaxdelay", "Float", "Longest Retry Delay", default=(3600.0,), help="Seconds."),
    ParmSpec(
        "pdg_retryexitcodes",
        "String",
        "Free Retry Exit Codes",
        tags=frozenset({"list"}),
        help='Exit statuses, such as that of "licence denied", after which an item comes again and uses up no retry.',
    ),
    ParmSpec(
        "pdg_retryexitdelay",
        "Float",
        "Free Retry Delay",
        default=(30.0,),
        help="Seconds before such an item comes again.",
    ),
    ParmSpec(
        "pdg_onfailure",
        "String",
        "On Failure",
        default=("block",),
        tags=frozenset({"menu"}),
        help="block what depends on it, continue with that, stop the cook, or count it as success.",
    ),
    ParmSpec("pdg_timeout", "Float", "Timeout", default=(0.0,), help="Seconds that an item may cook, 0: any time."),
    ParmSpec(
        "pdg_timeoutgrace",
        "Float",
        "Timeout Grace",
        default=(5.0,),
        help="Seconds that its job has to end by itself before it is killed.",
    ),
    ParmSpec(
        "pdg_heartbeattimeout",
        "Float",
        "Heartbeat Timeout",
        default=(0.0,),
        help="Seconds between two signs of life (pdgcmd keepalive) of a job that has sent one; 0: any time.",
    ),
    ParmSpec(
        "pdg_resources",
        "String",
        "Resources",
        tags=frozenset({"list"}),
        help='What it needs while it cooks: "licence:nuke=1"; [resources] of the network says how many there are.',
    ),
)


def task_limit(parms: Parms) -> int:
    """How many jobs a scheduler may have in flight by ``pdg_maxtasks``; 0: any number.

    That counts as its toggle says; where nobody touched the toggle, when it was given itself.
    """
    toggle, limit = parms.get("pdg_usemaxtasks"), parms.get("pdg_maxtasks")
    if limit is None or not (toggle.at() if toggle is not None and toggle.is_set else limit.is_set):
        return 0
    return whole(limit.at())


def whole(value: object) -> int:
    """A limit as a number, 0 for what is none."""
    try:
        return max(0, int(value))  # type: ignore[call-overload,no-any-return]
    except (TypeError, ValueError):
        return 0
