"""What runs inside Dask's scheduler: sent there as text, since it may see no directory of ours."""

from __future__ import annotations

from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin

#: What becomes of a task whose worker lives: of what one leaves that died, "released" is told first.
_USUAL = frozenset({"waiting", "queued", "memory"})
#: From which a task is forgotten that has run to its end.
_ENDED = frozenset({"memory", "erred"})
#: Seconds after which workers may yet have told the last of what ran there.
_LATE = (1.0, 10.0, 60.0)
NO_WORKER = "no worker is connected"
#: What a worker does that takes none.
_STATES = {"paused": "is paused (its memory is nearly full)", "init": "begins"}


class Watch(SchedulerPlugin):
    """Tells what becomes of one cook's tasks that they cannot tell themselves, and keeps them when the cook is gone.

    Events on ``topic``: ``{"token", "what": "again" | "failed" | "waits", "why"}``, and ``{"what": "look"}`` where
    ``fates`` has more.
    """

    def __init__(self, name: str, cook: str, topic: str, client: str) -> None:
        """``cook`` is what its tokens begin with; ``client`` is that of the cook."""
        self.name = name
        self._mark = f"-{cook}-"
        self._topic = topic
        self._client = client
        self._left = False
        self._keys: set[str] = set()
        #: The workers that tasks were given to, and those that died with them.
        self._at: dict[str, str] = {}
        self._died: dict[str, list[str]] = {}
        #: How many had died with them when this began to watch.
        self._before: dict[str, int] = {}
        #: Tasks that somebody else has ended: "deleted", or "restarted" with all there were.
        self.fates: dict[str, str] = {}
        self._untold: list[str] = []
        #: Tasks that the cook itself has let go.
        self._let_go: set[str] = set()
        #: By the name of a worker those that are pinned to it.
        self._pinned: dict[str, set[str]] = {}

    async def start(self, scheduler: Any) -> None:
        """Take up what is there."""
        self._scheduler = scheduler
        self._keys = {key for key in scheduler.tasks if self._is_ours(key)}
        for key in self._keys:
            task = scheduler.tasks[key]
            self._before[key] = task.suspicious
            self._note_pins(key, task)
            if task.processing_on is not None:
                self._at[key] = str(task.processing_on.name)

    def _is_ours(self, key: Any) -> bool:
        return type(key) is str and self._mark in key and key.startswith("topcook_")

    def update_graph(self, scheduler: Any, *, keys: Any, **_: Any) -> None:
        """Have new tasks go on when the client of the cook is gone: it may come back for them."""
        ours = [key for key in keys if self._is_ours(key)]
        if ours:
            self._keys.update(ours)
            for key in ours:
                self.fates.pop(key, None)
                self._note_pins(key, scheduler.tasks.get(key))
            scheduler.client_desires_keys(ours, "fire-and-forget")

    def _note_pins(self, key: str, task: Any) -> None:
        for name in pins_of(task):
            self._pinned.setdefault(name, set()).add(key)

    def add_worker(self, scheduler: Any, worker: str) -> None:
        """Have it take what is pinned to its name, which Dask pins to the one that had it first, or to its host."""
        name = str(scheduler.workers[worker].name)
        pinned = self._pinned.pop(name, set()) & self._keys
        if pinned:
            self._pinned[name] = pinned
        for task in (scheduler.tasks[key] for key in pinned):
            task.worker_restrictions = {*(task.worker_restrictions or ()), worker}
            task.host_restrictions = set(task.host_restrictions or ()) - {name} or None

    def transition(self, key: Any, start: str, finish: str, *_: Any, **__: Any) -> None:
        """Note and tell the unusual."""
        # Each task comes by seven times, those of other programs, too.
        if key not in self._keys or finish in _USUAL:
            return
        task = self._scheduler.tasks[key]
        if finish == "processing":
            self._at[key] = str(task.processing_on.name)
        elif start == "processing" and task.suspicious > len(self._died.get(key, ())) + self._before.get(key, 0):
            self._died.setdefault(key, []).append(self._at.get(key, "?"))
            if finish != "erred":
                self._tell(key, "again", self._at.get(key, "?"))
        if finish == "erred":
            self._tell(key, "failed", why_failed(task, self._died.get(key)))
        elif finish == "no-worker":
            self._tell(key, "waits", "")
        elif finish == "forgotten":
            self._forget(key, ended=start in _ENDED)

    def _forget(self, key: str, *, ended: bool) -> None:
        self._keys.discard(key)
        self._at.pop(key, None)
        self._died.pop(key, None)
        self._before.pop(key, None)
        if not ended and key not in self._let_go:
            self.fates[key] = "deleted"
            if not self._untold:
                # Not now: it may be the beginning of a restart.
                self._scheduler.loop.add_callback(self._tell_fates)
            self._untold.append(key)
        self._let_go.discard(key)
        self._go()

    def restart(self, scheduler: Any) -> None:
        """Whoever had Dask forget everything and end its workers meant none of the tasks."""
        self.fates.update(dict.fromkeys(self._untold, "restarted"))

    def _tell_fates(self) -> None:
        self._untold.clear()
        self._scheduler.log_event(self._topic, {"what": "look"})

    def let_go(self, keys: Any) -> None:
        """The cook does not want these any more."""
        self._let_go.update(self._keys.intersection(keys))

    def add_client(self, scheduler: Any, client: str) -> None:
        """The cook's may be back."""
        self._left = self._left and client != self._client

    def remove_client(self, scheduler: Any, client: str) -> None:
        """When the cook is gone, and its tasks are, nobody needs us."""
        self._left = self._left or client == self._client
        self._go()

    def _go(self) -> None:
        if self._left and not self._keys:
            self._scheduler.loop.add_callback(self._remove)

    def _remove(self) -> None:
        if self._left and self._scheduler.plugins.get(self.name) is self:
            leave([self.name], self._scheduler)

    def _tell(self, key: str, what: str, why: str) -> None:
        token = key.partition("-")[2]
        self._scheduler.log_event(self._topic, {"token": token, "what": what, "why": why})


def pins_of(task: Any) -> list[str]:
    """The names and addresses of the workers that a task asks for."""
    return [str(name) for name in (getattr(task, "annotations", None) or {}).get("workers") or ()]


def why_failed(task: Any, died: list[str] | None = None) -> str:
    """Why Dask gave a task up, in words."""
    text = str(task.exception_text or "")
    where = ", ".join(sorted(map(str, task.erred_on or ())))
    if not text and task.suspicious:
        # What Dask says of itself comes without a text: KilledWorker.
        return f"each worker died that ran it: {', '.join(died or [])} (the last one was {where})"
    return f"Dask could not run it{f' on {where}' if where else ''}: {text}"


def states(keys: list[str], dask_scheduler: Any) -> dict[str, tuple[str, str]]:
    """The state of these tasks, as far as they are known, and what they wait for or why they failed."""
    found = {}
    fates = {key: fate for each in _watches(dask_scheduler) for key, fate in each.fates.items()}
    for key in keys:
        task = dask_scheduler.tasks.get(key)
        if task is None:
            if key in fates:
                found[key] = (fates[key], "")
            continue
        state, why = task.state, ""
        if state == "processing" and task in task.processing_on.executing:
            state = "executing"
        elif state == "erred":
            why = why_failed(task)
        elif state in {"no-worker", "queued", "waiting", "released"}:
            why = why_waiting(task, dask_scheduler)
        found[key] = (state, why)
    return found


def _watches(dask_scheduler: Any) -> list[Any]:
    """Those of all cooks; of another version, too, that knows of no fates."""
    return [each for each in dask_scheduler.plugins.values() if hasattr(each, "fates") and hasattr(each, "let_go")]


def why_waiting(task: Any, scheduler: Any) -> str:
    """What keeps a task from any worker, in words; empty when it is just not its turn."""
    workers = list(scheduler.workers.values())
    if not workers:
        return NO_WORKER
    places = sorted({*map(str, task.worker_restrictions or ()), *map(str, task.host_restrictions or ())})
    if places and not task.loose_restrictions:
        workers = [each for each in workers if each.address in places or each.host in places]
        if not workers:
            places = pins_of(task) or places
            there = ", ".join(sorted(str(each.name) for each in scheduler.workers.values())[:5])
            return f"its workers are not there: {', '.join(places)} (there are {there})"
    for name, amount in (task.resource_restrictions or {}).items():
        most = max(each.resources.get(name, 0) for each in workers)
        if most < amount:
            which = f"of the workers {', '.join(places)} none" if places else "no worker"
            return f"{which} has {name}={amount:.15g}: the most is {name}={most:.15g}"
    if not any(each.status.name == "running" for each in workers):
        states = ", ".join(sorted(f"{each.name} {_STATES.get(each.status.name, 'ends')}" for each in workers)[:5])
        return f"none of its workers takes tasks: {states}"
    return ""


def find(tokens: list[str], dask_scheduler: Any) -> dict[str, str]:
    """The keys of the tasks with these tokens."""
    wanted = set(tokens)
    ours = (key for key in dask_scheduler.tasks if type(key) is str and key.startswith("topcook_"))
    return {token: key for key in ours if (token := key.partition("-")[2]) in wanted}


def release(keys: list[str], dask_scheduler: Any) -> list[str]:
    """Have nobody want these tasks any more: those that run go on, the others are gone; answers with the workers."""
    wanted: dict[str, list[str]] = {}
    workers = set()
    for watch in _watches(dask_scheduler):
        watch.let_go(keys)
    for key in keys:
        task = dask_scheduler.tasks.get(key)
        if task is None:
            continue
        if task.processing_on is not None:
            workers.add(task.processing_on.address)
        for client in task.who_wants or ():
            wanted.setdefault(client.client_key, []).append(key)
    for client, its in wanted.items():
        dask_scheduler.client_releases_keys(its, client)
    return sorted(workers)


def leave(names: list[str], dask_scheduler: Any) -> None:
    """Have nothing left of these cooks: the plugins of this name, and the events of their topics."""
    for name in names:
        if name in dask_scheduler.plugins:
            dask_scheduler.remove_plugin(name)
        # Dask keeps the last thousand of each topic for as long as it runs.
        _topics(dask_scheduler).pop(name, None)
    for seconds in _LATE:
        dask_scheduler.loop.call_later(seconds, _forget_events, names, dask_scheduler)


def _forget_events(names: list[str], dask_scheduler: Any) -> None:
    topics = _topics(dask_scheduler)
    for name in topics.keys() & names:
        # The cook may have come back. Subscribers stay noted when they are gone.
        is_back = name in dask_scheduler.plugins or dask_scheduler.clients.keys() & topics[name].subscribers
        if not is_back:
            del topics[name]


def _topics(dask_scheduler: Any) -> Any:
    return getattr(getattr(dask_scheduler, "_broker", None), "_topics", {})


def hold(keys: list[str], dask_scheduler: Any) -> list[str]:
    """Have these tasks go on without their client; answers with those that are not known yet."""
    dask_scheduler.client_desires_keys([key for key in keys if key in dask_scheduler.tasks], "fire-and-forget")
    return [key for key in keys if key not in dask_scheduler.tasks]
