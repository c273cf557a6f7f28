"""The job of an in-process item on a farm whose workers stay: its Python runs on a thread of the worker.

A program that runs many jobs imports it as it does ``jobwrapper.py``, and runs ``PythonJob(spec, guard).run()`` where
the spec has ``python``: ``text``, ``path`` and ``line`` (where its first line stands), ``body`` (whether it is the body
of a function of ``self`` and ``work_item``), ``node``, ``parms`` (what ``self[name]`` evaluates to) and ``here`` (what
to type to cook it in the cook's own process). Several run at once in one process, so nothing of an item is in
``os.environ``: ``work_item``, ``pdgjson`` and ``pdgcmd`` are of this item alone. Standard library only, any Python
from 3.6 on.
"""

import ast
import builtins
import contextlib
import ctypes
import importlib.util
import linecache
import os
import socket
import stat
import sys
import threading
import time
import traceback
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    from pdgjob import jobwrapper

    Spec = dict[str, Any]
else:
    _path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "jobwrapper.py")
    _found = importlib.util.spec_from_file_location(__name__ + "_wrapper", _path)
    jobwrapper = importlib.util.module_from_spec(_found)
    _found.loader.exec_module(jobwrapper)

#: What is told while the item runs; the rest goes with its end, as all that a job has not told by then.
_AT_ONCE = frozenset({"set_custom_state", "set_cook_percent", "keepalive", "warning", "sharedserver_started"})
_QUESTIONS = frozenset({"check_ready_batch", "get_workitem_json", "getSharedServerInfo", "add_sub_item_batch"})
#: Bytes of one report: no result server takes more than 16 MiB.
_MOST = 15 << 20
#: Characters of a reason; seconds after which a canceled item is told so again.
_WORDS, _AGAIN = 2000, 1.0


class Canceled(BaseException):
    """Raised inside the item's Python when it is canceled."""


class PythonJob(jobwrapper.Job):
    """A job that is a piece of Python.

    It can be canceled where it runs Python: a call that waits goes on until it is back, and is reported as canceled
    after the job's grace all the same.
    """

    def __init__(self, spec: "Spec", *more: "Any") -> None:
        super().__init__(spec, *more)
        self._thread = 0
        self._told_to_end = False
        self._unkept = []  # type: list[Any]

    def _start(self, log: int) -> "Any":
        with self._lock:
            if self.state:
                return None
            self._thread = threading.get_ident()
        return open(os.dup(log), "a", encoding="utf-8", errors="backslashreplace", buffering=1)

    def _watch(self, process: "Any") -> None:
        with contextlib.suppress(OSError, jobwrapper.Refused):
            if self._cook.where()[0]:
                self._cook.call(self._report("start_cook"))
        side = JobSide(self.spec, self._said)
        failure = None  # type: BaseException | None
        try:
            try:
                with _speaking_to(process):
                    _run(self.spec["python"], side)
            except BaseException as problem:  # noqa: BLE001 - it must not cost the worker its thread
                failure = problem
            self._finished()
        except Canceled:
            # It came between the last line of the item's Python and the line that says so.
            self._finished()
        with process:
            self._judge(failure, process)
        self._keep(side.told)

    def _finished(self) -> None:
        with self._lock:
            self._thread = 0
        if self._told_to_end:
            # It comes now if it comes at all. To take it back (with NULL) would have the interpreter look for it
            # before each instruction from then on.
            with contextlib.suppress(Canceled):
                for _ in range(100):
                    time.sleep(0)

    def _judge(self, failure: "BaseException | None", log: "Any") -> None:
        if failure is None or (isinstance(failure, SystemExit) and failure.code in (None, 0)):
            ended, reason = "succeeded", ""
        elif isinstance(failure, Canceled):
            ended, reason = "canceled", "canceled"
        else:
            ended, reason = "failed", _words_of(failure)
            text = _trace_of(failure, self.spec["python"]["path"])
            kept = False
            with contextlib.suppress(OSError):  # a full disk
                log.write(text)
                log.flush()
                kept = stat.S_ISREG(os.fstat(log.fileno()).st_mode)
            if not kept:
                self._unkept.append(self._report("append_log", -1, text[-_MOST // 8 :], 0))
        if not self.state:
            self.state, self.reason = ended, reason
        self.exit = 0 if self.state == "succeeded" else 1

    def _said(self, words: "list[Any]") -> None:
        with contextlib.suppress(OSError, jobwrapper.Refused):  # the next one says it anew
            self._cook.call(words)

    def _keep(self, told: "list[Any]") -> None:
        """What it told is told before its end, also where that is found on disk only."""
        import json

        rows = told + self._unkept
        self._unkept = []
        if not rows:
            return
        try:
            with open(self.spool or os.devnull + "/", "a") as stream:
                stream.write("".join([json.dumps(row) + "\n" for row in rows]))
        except OSError:
            self._unkept = rows

    def _spooled(self) -> "list[Any]":
        return super()._spooled() + self._unkept

    def _end_it(self) -> None:
        until = time.monotonic() + float(self.spec.get("grace", jobwrapper.GRACE))
        again = 0.0
        while self._thread and time.monotonic() < until:
            if time.monotonic() >= again:
                # Once may be lost: in a destructor, or where the author catches all there is.
                again = time.monotonic() + _AGAIN
                self._raise_in_it()
            time.sleep(0.02)
        if self._thread:
            where = "it is in a call that cannot be interrupted, and goes on in process %d of %s"
            where %= os.getpid(), socket.gethostname()
            self.reason += "; " + where
            # The cook may hold it for canceled already, and hear of its end no more.
            self._said(self._report("warning", "canceled, but " + where))
            self._said(self._report("ended", self.state, 1, 0.0, self.reason))

    def _raise_in_it(self) -> None:
        with self._lock:
            if self._thread:
                self._told_to_end = True
                kind = ctypes.py_object(Canceled)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), kind)


def _run(python: "Spec", side: "JobSide") -> None:
    path, line, body = python["path"], python.get("line", 1), python.get("body", False)
    _quote(path, python["text"], line)
    parse = side._module("pdgjob._syntax").parse  # noqa: SLF001 - of the same file
    module = parse("\n" * (line - 1) + python["text"], path)
    used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    item = side.work_item(python.get("here", ""))
    node = Node(python)
    names = {"__name__": "__main__", "__file__": path, "__builtins__": side.builtins, "work_item": item, "self": node}
    if "pdg" in used:
        names["pdg"] = _pdg(python.get("here", ""))
    if not body:
        exec(compile(module, path, "exec"), names)  # noqa: S102 - running the network's Python is the point
        return
    function = parse("def cook(self, work_item): pass", path)
    function.body[0].body = module.body or function.body[0].body
    exec(compile(function, path, "exec"), names)  # noqa: S102 - as above
    answer = names["cook"](node, item)
    if answer is False or getattr(answer, "name", "") == "Failure":
        raise RuntimeError('the Python of node "%s" answered failure' % node.name)


def _pdg(here: str) -> "Any":
    with contextlib.suppress(ImportError):
        pdg = importlib.import_module("pdg")
        # Another package on PyPI has this name.
        if hasattr(pdg, "workItemState"):
            return pdg
    raise ImportError('it uses "pdg", which is not installed on %s%s' % (socket.gethostname(), _hint(here)))


def _hint(here: str) -> str:
    return "\n    " + here if here else ""


class Parm:
    """One parm of the item's node, as it was evaluated for the item when that was handed over."""

    def __init__(self, name: str, value: "Any") -> None:
        self.name = name
        self.value = value

    def evaluate(self, work_item: "Any" = None) -> "Any":
        """The value in its own type."""
        return self.value

    def evaluateString(self, work_item: "Any" = None, index: int = 0) -> str:
        """The value as text."""
        value = self._at(index)
        return str(int(value)) if isinstance(value, bool) else str(value)

    def evaluateInt(self, work_item: "Any" = None, index: int = 0) -> int:
        """The value as an int."""
        return int(float(self._at(index) or 0))

    def evaluateFloat(self, work_item: "Any" = None, index: int = 0) -> float:
        """The value as a float."""
        return float(self._at(index) or 0)

    def evaluateBool(self, work_item: "Any" = None, index: int = 0) -> bool:
        """The value as a bool."""
        value = self._at(index)
        return value.strip().lower() not in ("", "0", "off", "no", "false") if isinstance(value, str) else bool(value)

    def _at(self, index: int) -> "Any":
        return self.value[index] if isinstance(self.value, list) else self.value


class Node:
    """What ``self`` is: the node's name and parms."""

    def __init__(self, python: "Spec") -> None:
        self.name = python.get("node", "")
        self._parms = python.get("parms", {})
        self._here = python.get("here", "")

    def parameter(self, name: str) -> "Parm | None":
        """A parm of the node; None when there is none."""
        return Parm(name, self._parms[name]) if name in self._parms else None

    __getitem__ = port = parameter

    def __getattr__(self, name: str) -> "Any":
        raise AttributeError(
            'of its node an item on a worker has name and parms, not "%s"%s' % (name, _hint(self._here))
        )


class JobSide:
    """The package ``pdgjob`` as one item has it: with its own environment, its reports kept in ``told``."""

    def __init__(self, spec: "Spec", at_once: "Any") -> None:
        env = dict(os.environ)
        env.update(spec.get("env", {}))
        self.told = []  # type: list[Any]
        self._at_once = at_once
        self._attempt = spec.get("attempt")
        self._own = (spec.get("item"), env.get("PDG_ITEM_NAME"))
        self._scripts = spec.get("scripts") or os.path.dirname(os.path.abspath(__file__))
        env["PDG_SCRIPTDIR"] = self._scripts
        self._env = env
        own_os = types.ModuleType("os")
        vars(own_os).update(vars(os))
        own_os.environ = env  # type: ignore[attr-defined]
        self._modules = {"os": own_os}
        #: For the item's Python: only our own modules are others than it would find.
        self.builtins = dict(vars(builtins), __import__=self._import)
        self._inside = dict(vars(builtins), __import__=self._import_inside)

    def work_item(self, here: str) -> "Any":
        """The item, as ``pdgjson`` reads it."""
        known = self._module("pdgjob.pdgjson").WorkItem

        def missing(_item: "Any", name: str) -> "Any":
            raise AttributeError('an item on a worker has its own data, not "%s"%s' % (name, _hint(here)))

        return type("WorkItem", (known,), {"__getattr__": missing}).fromJobEnvironment()  # type: ignore[attr-defined]

    def __getattr__(self, method: str) -> "Any":
        """Stands for the result server's methods, as a delegate of ``pdgjob``."""
        if method in _QUESTIONS:
            link = self._module("pdgjob._link")
            return lambda *args: link.call(self._env.get("PDG_RESULT_SERVER", ""), method, None, args)
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args: self._tell(method, args)

    def _tell(self, method: str, args: "tuple[Any, ...]") -> bool:
        words = [method, self._attempt if args[0] in self._own else None, *args]
        text = self._module("pdgjob._link").encode(words)
        if len(text) > _MOST:
            raise ValueError("%s: %d MiB are more than a report can carry: write a file" % (method, len(text) >> 20))
        if method in _AT_ONCE:
            self._at_once(words)
        else:
            import json

            # As it is now: what is in it may change later.
            self.told.append(json.loads(text))
        return True

    def _import(
        self, name: str, globals: "Any" = None, locals: "Any" = None, fromlist: "Any" = (), level: int = 0
    ) -> "Any":
        top, _, rest = name.partition(".")
        if level or top not in ("pdgjob", "pdgcmd", "pdgjson"):
            return __import__(name, globals, locals, fromlist, level)
        found = self._module(name if top == "pdgjob" else "pdgjob." + name)
        for each in fromlist or ():
            if top == "pdgjob" and not rest and not hasattr(found, each):
                self._module("pdgjob." + each)
        return found if fromlist or not rest else self._module(top)

    def _import_inside(self, name: str, *more: "Any") -> "Any":
        return self._modules["os"] if name == "os" else self._import(name, *more)

    def _module(self, name: str) -> "Any":
        if name in self._modules:
            return self._modules[name]
        package, _, own = name.partition(".")
        path = os.path.join(self._scripts, "pdgjob", (own or "__init__") + ".py")
        module = types.ModuleType(name)
        module.__file__ = path
        vars(module)["__builtins__"] = self._inside
        self._modules[name] = module
        try:
            exec(_compiled(path), vars(module))  # noqa: S102 - an import, of our own file
        except BaseException:
            # A cancel comes as an exception of its own: half a module must not be found by the next import.
            del self._modules[name]
            raise
        if own:
            setattr(self._module(package), own, module)
        else:
            module.__path__ = [os.path.dirname(path)]
        if own == "_report":
            vars(module)["setRpcDelegate"](self)
            # Nobody reads an in-process item's output for reports.
            vars(module)["echo"] = _nothing
        return module


def _nothing(*_args: "Any") -> None:
    pass


_codes = {}  # type: dict[str, tuple[int, Any]]


def _compiled(path: str) -> "Any":
    changed = os.stat(path).st_mtime_ns
    known = _codes.get(path)
    if known is None or known[0] != changed:
        with open(path, "rb") as stream:
            known = _codes[path] = (changed, compile(stream.read(), path, "exec"))
    return known[1]


_lock = threading.Lock()
#: Where each thread speaks to that has an item.
_logs = {}  # type: dict[int, Any]


class _Speaker:
    """Stands in for a stream of this process: what a thread with an item says goes to its item's log."""

    def __init__(self, real: "Any") -> None:
        self.real = real

    def __getattr__(self, name: str) -> "Any":
        return getattr(_logs.get(threading.get_ident()) or self.real, name)


@contextlib.contextmanager
def _speaking_to(log: "Any") -> "Iterator[None]":
    with _lock:
        for name in ("stdout", "stderr"):
            if not isinstance(getattr(sys, name), _Speaker):
                setattr(sys, name, _Speaker(getattr(sys, name)))
        _logs[threading.get_ident()] = log
    try:
        yield
    finally:
        with _lock:
            del _logs[threading.get_ident()]
            for name in ("stdout", "stderr") if not _logs else ():
                found = getattr(sys, name)
                if isinstance(found, _Speaker):
                    setattr(sys, name, found.real)


def _quote(path: str, text: str, line: int) -> None:
    """Have tracebacks show the lines of a script whose file is on another machine, or has changed since."""
    lines = text.splitlines(True)
    with _lock:
        known = linecache.cache.get(path)
        # What stands there without a time was put there, by us mostly: other scripts of the same file.
        shown = list(known[2]) if known is not None and len(known) > 1 and known[1] is None else []
        shown += ["\n"] * (line - 1 + len(lines) - len(shown))
        shown[line - 1 : line - 1 + len(lines)] = lines
        linecache.cache[path] = (len(text), None, shown, path)


def _words_of(failure: BaseException) -> str:
    try:
        text = "%s: %s" % (type(failure).__name__, failure)
    except BaseException:  # noqa: BLE001 - its __str__ is the author's, and may raise anything
        text = "%s (its text cannot be read)" % type(failure).__name__
    return text if len(text) <= _WORDS else text[:_WORDS] + "…"


def _trace_of(failure: BaseException, path: str) -> str:
    """The traceback from the script's first line on."""
    trace = failure.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != path:
        trace = trace.tb_next
    start = trace or failure.__traceback__
    try:
        return "".join(traceback.format_exception(type(failure), failure, start))
    except BaseException:  # noqa: BLE001 - as above
        return "".join(traceback.format_tb(start)) + _words_of(failure) + "\n"
