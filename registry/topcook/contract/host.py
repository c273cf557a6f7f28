"""The door between a scheduler or node instance and the cook that runs it.

The base classes in this package call only these protocols; ``topcook.runtime`` implements them. The
opaque ``scheduler`` handle that a scheduler class gets in ``__init__`` carries its ``SchedulerHost``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from topcook.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from topcook.contract.secrets import Vault
    from topcook.model.directories import Directories
    from topcook.model.node import Network, Node, SchedulerNode
    from topcook.model.notification import Notification
    from topcook.model.parms import Parms
    from topcook.model.workitem import WorkItem


class GraphServices(Protocol):
    """What handles on items, nodes and ports need to know of the graph context they belong to."""

    @property
    def name(self) -> str:
        """The graph context's unique name."""

    @property
    def network(self) -> Network:
        """The network's record."""

    @property
    def vault(self) -> Vault:
        """The values of secret parms."""

    def item(self, key: int | str) -> WorkItem | None:
        """The item with this id or name, ``None`` when there is none."""

    def items(self) -> Sequence[WorkItem]:
        """Every item of the network, by id."""

    def new_item(self, node: Node, index: int) -> WorkItem:
        """A fresh record with the next id; it joins the network when its generation call ends well."""

    def environment(self) -> Mapping[str, str]:
        """What ``$VAR`` reads: the process environment, then ``HIP`` and the network's own."""

    def scheduler_name_for(self, node: Node) -> str:
        """The name of the scheduler that cooks this node's items."""

    def scheduler_object(self, name: str) -> Any:
        """The scheduler instance of that name (its PyScheduler), ``None`` before it was made."""

    def context_object(self) -> Any:
        """The ``pdg.GraphContext`` behind this."""

    def node_instance(self, node: Node) -> Any:
        """The object of a node's type, made when first asked for; raises what its type raises."""

    def cook_in_process(self, item: WorkItem) -> None:
        """Run the item's own Python cook (``onCookTask``) on the calling thread; raises what it raises."""

    def add_event_handler(
        self, owner: object, handler: Callable[..., object], events: Sequence[int], *, pass_handler: bool
    ) -> Any:
        """Call ``handler`` with each event of ``owner`` (context, node, scheduler, item id)."""

    def remove_event_handler(self, handler: object) -> None:
        """Stop calling it."""

    def event_handlers(self, owner: object) -> list[Any]:
        """Those of ``owner``, in the order they were added."""


class ResultServer(Protocol):
    """The cook's one result server, as a scheduler sees it."""

    @property
    def running(self) -> bool:
        """Whether it listens."""

    @property
    def address(self) -> str:
        """``host:port``, empty while it does not listen."""

    @property
    def nearby(self) -> str:
        """``host:port`` by which this machine reaches it, whatever jobs are told; empty while it does not listen."""

    def start(self, *, local_only: bool, port_range: tuple[int, int] | None) -> str:
        """Listen (again a no-op when it does); returns the address."""

    def stop(self) -> None:
        """This scheduler needs it no more; a no-op when it is not running."""


class JobEnd(NamedTuple):
    """How a local job ended.

    ``exit_status`` is negative for a signal, 126 or 127 for a command that could not be started (as a shell has it),
    and ``None`` for a job that never ran or whose end nobody saw; ``reason`` then says why. ``canceled`` jobs ended,
    or never started, because somebody asked for it. ``at`` is a reading of ``time.monotonic()``, ``max_rss`` counts
    bytes, ``cpu`` seconds.
    """

    exit_status: int | None
    at: float
    reason: str = ""
    canceled: bool = False
    max_rss: int = 0
    cpu: float = 0.0


class JobLimits(NamedTuple):
    """What a local job and all it starts may use: bytes of memory, CPUs at a time, seconds of CPU time; 0: no limit."""

    memory: int = 0
    cpus: float = 0.0
    cpu_time: float = 0.0


class JobKeeper(Protocol):
    """Starts commands on this machine in a process that outlives the engine."""

    def set_slots(self, slots: int) -> None:
        """How many slots this scheduler's jobs share; 0 (as at the start): no limit."""

    def limits_by(self) -> str:
        """How the limits of jobs are held on this machine, in words for people."""

    def start(self, job: LocalJob, *, later: bool = False) -> None:
        """Hand a command over; it starts when its slots are free, first come first served.

        With ``later`` it may go out together with those that follow: with the next one that is not, within some
        milliseconds of handing over, or by ``send``. The host calls that after each batch of ``onSchedule``.
        """

    def send(self) -> None:
        """Let those that were started ``later`` go out now."""

    def adopt(self, jobs: Sequence[LocalJob]) -> list[str]:
        """Take up jobs that an earlier session of this cook has started: the tokens of those that run, or have ended.

        What else ``jobs`` say than token, ``on_start`` and ``on_end`` is of no account: their ends are told as usual.
        """

    def cancel(self, tokens: Sequence[str], grace: float = 5.0) -> list[int]:
        """End the jobs with these tokens and all their descendants; returns when they are gone.

        The pids returned are of processes that could not be ended (waiting in the kernel, or another user's).
        """

    def cancel_all(self, grace: float = 5.0) -> list[int]:
        """End every job of this scheduler; returns as ``cancel`` does."""


class LocalJob(Protocol):
    """A command for the keeper.

    ``argv`` starts without a shell, its output is appended to ``log_path``. It takes ``slots`` of its scheduler's
    (all of them when it wants more than there are). Its environment is ``base``, where given, with ``env`` on top: one
    ``base`` that many jobs share (the same object, not changed meanwhile) travels once. ``on_start(pid, at)``, at a
    reading of ``time.monotonic()`` taken before the start, and ``on_end(end)`` are called on the keeper's reader
    thread and must not block; an end without a start is a command that could not be started, its reason also in its
    log.
    """

    token: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    log_path: str
    slots: int
    base: Mapping[str, str] | None
    limits: JobLimits | None

    @property
    def on_start(self) -> Callable[[int, float], None]:
        """Called with the process id and the time when the job has been started."""

    @property
    def on_end(self) -> Callable[[JobEnd], None]:
        """Called when the job has ended and was reaped."""


class FunctionReports(Protocol):
    """How one thread of a scheduler reports on the functions of in-process items that it runs, one after the other.

    What goes wrong is notified as by any scheduler.
    """

    def started(self, work_item: Any, attempt: int) -> None:
        """The function of this attempt is about to be called."""

    def succeeded(self, work_item: Any, attempt: int) -> None:
        """It has ended well."""


class SchedulerHost(Protocol):
    """What a scheduler instance may ask of, and tell, the cook."""

    @property
    def name(self) -> str:
        """The instance's name in the network."""

    @property
    def type_name(self) -> str:
        """Its registered type."""

    @property
    def node(self) -> SchedulerNode:
        """Its record in the network."""

    @property
    def parms(self) -> Parms:
        """Its parms; setting one takes effect at the next tick or hand-over."""

    @property
    def graph(self) -> GraphServices:
        """The graph context it belongs to."""

    @property
    def directories(self) -> Directories:
        """Its directories in both views."""

    @property
    def result_server(self) -> ResultServer:
        """The one result server."""

    @property
    def keeper(self) -> JobKeeper:
        """The keeper of local processes, started when first asked for."""

    @property
    def ports_ready(self) -> bool:
        """False inside ``__init__``, where PDG lets nobody read a parm."""

    def parms_changed(self, name: str) -> None:
        """A parm was set during the cook: the cook reads its limits and tick period again."""

    def notify(self, notification: Notification) -> None:
        """Report something about an item; from any thread; never blocks."""

    def notify_all(self, notifications: Sequence[Notification]) -> None:
        """Report what has become known together: the cook wakes up once for it; from any thread; never blocks."""

    def function_reports(self) -> FunctionReports | None:
        """For the calling thread; ``None`` where each report is to be seen by itself."""

    def limit_in_flight(self, count: int) -> None:
        """Offer it nothing while it holds so many items (0: no limit), whatever ``pdg_maxtasks`` allows."""

    def cook_options(self) -> list[str]:
        """What ``topcook cook`` is to be told so that it cooks a copy of the network as this one: its profile."""

    def waits_for(self, words: str) -> None:
        """Say what the items that it holds wait for, empty when nothing keeps them; from any thread."""

    def request_task(self) -> None:
        """Ask for the next ``onSchedule`` now rather than at the next tick."""

    def tick_soon(self, seconds: float) -> None:
        """Call ``onTick`` within so many seconds, whatever the tick period is; from any thread."""

    def graph_shown(self, items: Iterable[int]) -> None:
        """The scheduler was shown these items: what is said of them is kept until they are handed over."""

    def record_error(self, message: str) -> None:
        """Keep an error on the scheduler node (``cookError``)."""

    def record_warning(self, message: str) -> None:
        """Keep a warning on the scheduler node (``cookWarning``)."""

    def log(self, message: str) -> None:
        """A line into the scheduler's own log in the cook's log directory."""

    def adopt_thread(self) -> None:
        """From now on what the calling thread prints and logs goes into the scheduler's own log."""

    def job_environment(self, item: WorkItem) -> dict[str, str]:
        """The ``PDG_*`` variables of a job for ``item`` (its attempt token and secret included)."""

    def item_environment(self, item: WorkItem) -> dict[str, str]:
        """Those of them that are the item's own: who it is, which attempt, what its attributes export."""

    def prepare_item(self, item: WorkItem) -> None:
        """Make the cook's directories and write the item's data file (unless it travels by message)."""

    def copy_support_files(self) -> None:
        """Put ``pdgcmd.py``, ``pdgjson.py`` and the package ``pdgjob`` into the script directory."""

    def local_disk(self, path: str) -> str:
        """The kind of file system that a path is on, where that is a disk of this machine alone; else empty."""

    def accept_in_process(self, *, accept: bool, as_text: bool = False) -> None:
        """Whether in-process items may be handed to it; ``as_text``: those alone whose Python its node type gives."""

    def stop_cook(self) -> None:
        """Cancel the whole cook (17.5's ``stopCook``)."""

    def set_shared_server(self, name: str, info: Mapping[str, Any] | None) -> None:
        """Remember a shared server's information; ``None`` forgets it."""

    def shared_servers(self) -> Mapping[str, Mapping[str, Any]]:
        """The shared servers known to this scheduler, by name."""
