"""One cook's tasks on a cluster: submitted, asked about, canceled; what they tell by Dask's own connection."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import distributed
from distributed.protocol.pickle import dumps

from topcook.author.farm import EngineAwayError, EngineError, FarmPhase, FarmState
from topcook_dask.connect import ConnectError, Connection
from topcook_dask.options import TaskOptions
from topcook_dask.tasks import Sent, SentPlugin, WorkerCode, token_of

__all__ = ["DELETED", "Session"]

#: Why an item has ended whose task somebody else has ended.
DELETED = "somebody has deleted its task on Dask"

#: Seconds for an answer of the scheduler; of the workers, of which any may hang.
_ANSWER, _WORKERS = 15.0, 10.0
_LOOK = 0.1
#: Keys that are canceled by the client itself at a time: what that takes grows with the square of their number.
_FEW = 100
#: Tasks that are forgotten at a time where they end fast: what they have left on workers is a few words each.
_FORGOTTEN_TOGETHER = 200
#: Results that are brought here at a time.
_TOGETHER = 500
_PHASES = {
    "executing": FarmPhase.RUNNING,
    "erred": FarmPhase.FAILED,
    "deleted": FarmPhase.CANCELED,
    "restarted": FarmPhase.GONE,
}
#: Why tasks have ended that somebody else has ended.
_FATES = {"deleted": DELETED, "restarted": "somebody has restarted Dask's workers"}
_ENDS = {"succeeded": FarmPhase.SUCCEEDED, "canceled": FarmPhase.CANCELED}
Event = dict[str, Any]


class Session:
    """``hear`` is called with each event, on the client's thread; ``say`` with what the cook is to be warned of.

    All that asks the cluster raises ``EngineAwayError`` while it does not answer.
    """

    def __init__(
        self, reopen: Callable[[], Connection], hear: Callable[[Event], None], say: Callable[[str], None]
    ) -> None:
        """Connect; raises ``ConnectError``."""
        self._reopen = reopen
        self._hear = hear
        self._say = say
        self.connection = reopen()
        self.address = str(self._rpc.address)
        self._futures: dict[str, Any] = {}
        #: Those of tasks whose end is known.
        self._ended: list[Any] = []
        #: The cooks, by the beginning of their tokens, whose tasks may be there: those that this one goes on with, too.
        self._cooks: set[str] = set()
        self._watched = True
        #: The client whose plugin the scheduler was given last, by cook.
        self._plugins: dict[str, str] = {}
        #: No earlier is it tried again to connect.
        self._reopen_at = 0.0

    @property
    def _client(self) -> distributed.Client:
        return self.connection.client

    @property
    def _rpc(self) -> Any:
        """What the scheduler can be asked; functions of the client, but with a time-out."""
        return self._client.scheduler

    @property
    def is_up(self) -> bool:
        """Whether the cluster is connected, as far as is known."""
        return bool(self._client.status == "running")

    # -- what is told ---------------------------------------------------------------------------------------------

    def follow(self, cook: str) -> str:
        """Hear of this cook's tasks; the topic of their events."""
        self._up()
        if cook not in self._cooks:
            self._listen(cook)
            self._cooks.add(cook)
        return _topic(cook)

    def _listen(self, cook: str) -> None:
        client = self._up()
        client.subscribe_topic(_topic(cook), lambda event: self._hear(event[1]))
        if not self._watched:
            return
        plugin = SentPlugin(_topic(cook), cook, _topic(cook), client.id)
        try:
            client.sync(
                self._rpc.register_scheduler_plugin,
                plugin=dumps(plugin),
                name=plugin.name,
                # One that is there of this session knows who died: another would begin anew.
                idempotent=self._plugins.get(cook) == client.id,
                callback_timeout=_ANSWER,
            )
            self._plugins[cook] = client.id
        except (OSError, TimeoutError) as error:
            raise self._away(error) from error
        except Exception as error:  # noqa: BLE001 - whatever the scheduler raises: ValueError where it takes no code
            self._watched = False
            self._say(
                f"Dask's scheduler takes no plugin ({_first_line(error)}): tasks end with this cook when it is killed, "
                f"and what becomes of those whose worker dies is known a little later"
            )

    def _up(self) -> distributed.Client:
        """The client, connected."""
        if self._client.status == "closed" and not self.connection.owned:
            # It has given up. The scheduler may be another one than it was, and knows nothing of us.
            began = time.monotonic()
            if began < self._reopen_at:
                raise self._away("it is tried again")
            # A client that has given up may raise at its end what it likes: it is done with either way.
            with contextlib.suppress(Exception):
                self.connection.close()
            try:
                self.connection = self._reopen()
            except ConnectError as error:
                # In between, what else there is to do gets its turn: a cancel, above all.
                self._reopen_at = 2 * time.monotonic() - began
                raise self._away(error) from error
            self.listen_again()
        if not self.is_up:
            raise self._away("it is tried again")
        return self._client

    def listen_again(self) -> None:
        """Hear of all again, where the connection has been lost meanwhile."""
        for cook in self._cooks:
            self._listen(cook)

    def _away(self, why: object) -> EngineAwayError:
        return EngineAwayError(f"Dask's scheduler {self.address} does not answer: {why}")

    def _ask(self, function: str, *values: Any) -> Any:
        """Call one of ``schedulerside.py``."""
        client = self._up()
        try:
            return client.run_on_scheduler(Sent(function), *values, callback_timeout=_ANSWER)
        except (OSError, TimeoutError) as error:
            raise self._away(_first_line(error)) from error
        except Exception as error:
            if not self.is_up:
                raise self._away(_first_line(error)) from error
            # Whatever the scheduler raises: ValueError where it takes no code.
            raise EngineError(f"Dask's scheduler {self.address}: {_first_line(error)}") from error

    # -- tasks ----------------------------------------------------------------------------------------------------

    def submit(self, options: TaskOptions, keys: Sequence[str], texts: Sequence[str]) -> None:
        """Submit expressions (``WorkerCode.call``) as tasks under these keys."""
        client = self._up()
        try:
            futures = client.map(eval, list(texts), key=list(keys), pure=False, **options.keywords())
        except Exception as error:
            if not self.is_up:
                raise self._away(_first_line(error)) from error
            raise
        self._futures.update(zip(keys, futures, strict=True))

    def keep(self, keys: Sequence[str]) -> None:
        """Have them go on when this program is gone, and see to it that they are there."""
        until = time.monotonic() + _ANSWER
        left = list(keys)
        while left := self._ask("hold", left):
            if time.monotonic() > until:
                raise EngineError(f"Dask's scheduler {self.address} has not taken {', '.join(left)}")
            time.sleep(_LOOK)

    def over(self, key: str) -> None:
        """Its end is known: the cluster may forget it, with others that are over."""
        future = self._futures.pop(key, None)
        if future is not None:
            self._ended.append(future)
        if len(self._ended) >= _FORGOTTEN_TOGETHER:
            self.forget()

    def forget(self) -> None:
        """Have the cluster forget what is over: each word of that wakes up its scheduler and a worker."""
        # Dask releases what nobody holds.
        self._ended.clear()

    def states(self, keys: Sequence[str]) -> dict[str, FarmState]:
        """What Dask says of them; left out is what it does not know."""
        try:
            said = self._ask("states", list(keys))
        except EngineAwayError:
            raise
        except EngineError:
            return self._states_here(keys)
        found = {}
        for key, (state, why) in said.items():
            found[key] = FarmState(_PHASES.get(state, FarmPhase.QUEUED), _FATES.get(state, why))
        found.update(self._results([key for key, (state, _) in said.items() if state == "memory"]))
        return found

    def _states_here(self, keys: Sequence[str]) -> dict[str, FarmState]:
        """What the client knows by itself."""
        found = {}
        for key in keys:
            future = self._futures.get(key)
            if future is None:
                continue
            if future.status == "pending":
                found[key] = FarmState(FarmPhase.QUEUED)
            elif future.status == "error":
                found[key] = FarmState(FarmPhase.FAILED, f"Dask could not run it: {future.exception(timeout=_ANSWER)}")
        return {**found, **self._results([key for key in keys if self._is_finished(key)])}

    def _is_finished(self, key: str) -> bool:
        return key in self._futures and self._futures[key].status == "finished"

    def _results(self, keys: Iterable[str]) -> dict[str, FarmState]:
        """How those have ended whose end was not heard: what their task returned."""
        found = {}
        left = iter(keys)
        while some := list(islice(left, _TOGETHER)):
            # Of those whose worker does not answer they are asked again.
            with contextlib.suppress(OSError, TimeoutError):
                for key, (state, status, reason) in self._gather(some).items():
                    found[key] = FarmState(_ENDS.get(state, FarmPhase.FAILED), reason, status)
        return found

    def _gather(self, keys: Sequence[str]) -> dict[str, Any]:
        """What those tasks have returned whose workers have it still; raises also what nobody expects."""
        try:
            said = self._client.sync(self._rpc.gather, keys=keys, callback_timeout=_ANSWER)
            if said["status"] == "error":
                there = [key for key in keys if key not in said["keys"]]
                said = self._client.sync(self._rpc.gather, keys=there, callback_timeout=_ANSWER)
        except (OSError, TimeoutError):
            raise
        except Exception as error:
            if not self.is_up:
                raise self._away(_first_line(error)) from error
            raise
        return dict(said.get("data", {}))

    def find(self, tokens: Sequence[str]) -> dict[str, str]:
        """The keys of tasks, by token."""
        return dict(self._ask("find", list(tokens)))

    # -- ending ---------------------------------------------------------------------------------------------------

    def cancel(self, keys: Sequence[str], code: WorkerCode, reason: str) -> None:
        """End them: what runs is told to, what does not never begins; comes back before all have ended."""
        try:
            self._ask("release", list(keys))
        except EngineAwayError:
            raise
        except EngineError:
            ours = [self._futures[key] for key in keys if key in self._futures]
            for start in range(0, len(ours), _FEW):
                self._client.cancel(ours[start : start + _FEW], force=True)
        for key in keys:
            self.over(key)
        self._on_workers(code.call("cancel", [token_of(key) for key in keys], reason))

    def running(self, keys: Sequence[str], code: WorkerCode) -> set[str]:
        """The tokens of those whose job some worker has in hand still."""
        said = self._on_workers(code.call("here", [token_of(key) for key in keys]))
        return {token for tokens in said.values() if isinstance(tokens, list) for token in tokens}

    def gone(self, keys: Sequence[str], code: WorkerCode, seconds: float) -> set[str]:
        """Wait until no worker runs any of them; the tokens of those that are left."""
        until = time.monotonic() + seconds
        while (left := self.running(keys, code)) and time.monotonic() < until:
            time.sleep(_LOOK)
        return left

    def _on_workers(self, text: str) -> dict[str, Any]:
        client = self._up()
        try:
            return dict(client.run(eval, text, on_error="ignore", callback_timeout=_WORKERS))
        except (OSError, TimeoutError) as error:
            raise self._away(_first_line(error)) from error

    def why_tasks_end_with_us(self) -> str:
        """What keeps tasks from going on without this program, in words; empty where they do."""
        if self.connection.owned:
            return "their cluster was started for it"
        if not self.is_up:
            return "their scheduler does not answer"
        return "" if self._watched else "their scheduler takes no plugin"

    def close(self, *, stay: bool = False) -> None:
        """Leave nothing of ours there but what goes on, and disconnect; with ``stay``, tasks keep what keeps them."""
        self._futures.clear()
        self.forget()
        if not stay and self.is_up and self._watched and self._cooks:
            with contextlib.suppress(EngineError):
                self._ask("leave", [_topic(cook) for cook in self._cooks])
        self.connection.close()


def _topic(cook: str) -> str:
    return f"topcook-{cook}"


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
