from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.contract.callbacks import CALLBACKS, Need
from topcook.contract.tolerated import TOLERATED
from topcook.contract.validate import callback_status, validate_node, validate_scheduler
from topcook.errors import Problem
from topcook.model.enums import NodeType

Author = Callable[[str], ModuleType]

GOOD = """
class Farm(PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
    @classmethod
    def templateName(cls):
        return "farm"
    def onSchedule(self, work_item):
        return None
"""


ABSTRACT = """
import abc
class Farm(PyScheduler, metaclass=abc.ABCMeta):
    def onSchedule(self, work_item): ...
    @abc.abstractmethod
    def helper(self): ...
"""


def body(method: str) -> str:
    """A good class with one more method; it begins in line 11."""
    lines = method.strip("\n").splitlines()
    return GOOD + "\n".join("    " + line for line in lines) + "\n"


def found(author: Author, source: str, **options: Any) -> list[Problem]:
    return validate_scheduler(author(source).Farm, **options)


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


def test_a_good_class_has_no_problems(author: Author) -> None:
    assert found(author, GOOD) == []


@pytest.mark.parametrize(
    ("method", "code", "words"),
    [
        ("def onTick(self, extra): ...", "too-many-parameters", ["(self, extra)", "expected onTick(self)"]),
        ("def onTick(self, extra=1): ...", None, []),
        ("def onTick(*args): ...", None, []),
        ("def getLogURI(self): ...", "too-few-parameters", ["(self)", "getLogURI(self, work_item)"]),
        ("def onStopCook(self): ...", None, []),
        ("def onStopCook(self, cancel, why): ...", "too-many-parameters", ["onStopCook(self, cancel)"]),
        ("def onStartCook(self, static, *, cook_set): ...", "keyword-only", ["cook_set"]),
        ("def onStartCook(self, static, cook_set, *, more=1): ...", None, []),
        (
            "def onScheduleStatic(self, dependents, dependencies, ready_items): ...",
            "wrong-order",
            ["dependents, dependencies, ready_items", "passed by position"],
        ),
        ("def onScheduleStatic(self, a, b, c): ...", None, []),
        ("async def onStart(self): ...", "async-callback", ["is async", "def onStart(self)"]),
        ("def onStart(self): yield 1", "generator", ["generator"]),
        ("@property\ndef onTick(self): ...", "wrong-kind", ["a property"]),
        ("@staticmethod\ndef onTick(): ...", "wrong-kind", ["a static method"]),
        ("@classmethod\ndef onTick(cls): ...", "wrong-kind", ["a class method"]),
        ("onTick = 3", "wrong-kind", ["an int"]),
        ("onTick = lambda self: None", None, []),
        ("@staticmethod\ndef hasServiceSupport(): return True", None, []),
        ("def templateBody(self): return '{}'", "wrong-kind", ["an instance method", "@classmethod"]),
        ("@staticmethod\ndef templateBody(): return '{}'", None, []),
        ("def onTik(self): ...", "mistyped-callback", ['did you mean "onTick"?']),
        ("def getlogURI(self, work_item): ...", "mistyped-callback", ['did you mean "getLogURI"?']),
        ("def submit_as_job(self, graph_file, node_path): ...", "mistyped-callback", ['did you mean "submitAsJob"?']),
        ("def onWorkItemStartCooking(self): ...", None, []),
        ("def onFarmEvent(self): ...", None, []),
        ("def _onTik(self): ...", None, []),
    ],
)
def test_each_mistake_in_a_method_is_named(author: Author, method: str, code: str | None, words: list[str]) -> None:
    problems = found(author, body(method))
    assert codes(problems)[:1] == ([code] if code else [])
    text = "\n".join(map(str, problems))
    assert all(word in text for word in words), text


def test_the_place_is_that_of_the_name_in_the_def_line(author: Author) -> None:
    module = author(body("@property\ndef onTick(self): ..."))
    (problem,) = validate_scheduler(module.Farm)
    assert problem.path == module.__file__
    assert (problem.line, problem.column) == (12, 9)


def test_all_problems_come_at_once(author: Author) -> None:
    source = """
    class Farm(PyScheduler):
        def on_shedule(self, work_item): ...
        async def onStart(self): ...
        def onStop(self, why): ...
    """
    problems = found(author, source)
    assert codes(problems) == ["missing-callback", "async-callback", "too-many-parameters"]
    assert (problems[0].line, problems[0].hint) == (4, 'did you mean "onSchedule"? Rename "on_shedule"')


@pytest.mark.parametrize("typed", ["on_shedule", "onSchedul", "OnSchedule", "on_schedule", "onShcedule", "schedule"])
def test_a_mistyped_schedule_is_recognised(author: Author, typed: str) -> None:
    (problem,) = found(author, f"class Farm(PyScheduler):\n    def {typed}(self, work_item): ...\n")
    assert problem.code == "missing-callback"
    assert f'found "{typed}", expected "onSchedule(self, work_item)"' in problem.message


def test_a_class_of_no_base_must_bring_all_that_the_base_would_have(author: Author) -> None:
    problems = found(author, "class Farm:\n    def onSchedule(self, work_item): ...\n")
    wanted = {row.name for row in CALLBACKS if row.need is Need.DEFAULTED}
    assert {problem.message.split('"')[1] for problem in problems} == wanted
    assert set(codes(problems)) == {"missing-callback"}
    assert "derive Farm from PyScheduler" in (problems[0].hint or "")


def test_strict_asks_for_every_must_in_the_file_itself(author: Author) -> None:
    problems = found(author, GOOD, strict=True)
    assert set(codes(problems)) == {"not-implemented-here"}
    assert set(codes(problems)) <= TOLERATED
    assert len(problems) == sum(row.need is Need.DEFAULTED for row in CALLBACKS)


def test_callbacks_may_come_from_an_author_mixin(author: Author) -> None:
    source = "class Mixin:\n    def onSchedule(self, work_item): ...\nclass Farm(Mixin, PyScheduler): pass\n"
    module = author(source)
    assert validate_scheduler(module.Farm) == []
    status = callback_status(module.Farm)
    assert (status["onSchedule"], status["onTick"]) == ("implemented", "default")
    assert callback_status(module.Mixin)["onTick"] == "missing"


def test_a_decorated_callback_is_shown_at_the_authors_function(author: Author) -> None:
    source = """
    import functools
    def logged(function):
        @functools.wraps(function)
        def wrapper(self):
            return function(self)
        return wrapper
    class Farm(PyScheduler):
        @logged
        def onSchedule(self, work_item): ...
    """
    (problem,) = found(author, source)
    assert problem.code == "too-few-parameters"
    assert problem.line == 11


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (ABSTRACT, "abstract-class"),
        ("class Farm(PyScheduler):\n    def __init__(self): ...\n    def onSchedule(self, work_item): ...\n", "wrong-init"),
        ("class Farm(PyScheduler):\n    def __init__(self, *args): ...\n    def onSchedule(self, work_item): ...\n", None),
        ("class Farm(PyScheduler):\n    def __init__(self, s, n, m): ...\n    def onSchedule(self, work_item): ...\n",
         "wrong-init"),
        ("class Farm(PyScheduler):\n    async def __init__(self, s, n): ...\n    def onSchedule(self, work_item): ...\n",
         "wrong-init"),
        (("class Farm(PyScheduler):\n    @staticmethod\n    def __init__(s, n): ...\n"
         "    def onSchedule(self, work_item): ...\n"), "wrong-init"),
        ("class Farm(PyScheduler):\n    def __new__(cls): ...\n    def onSchedule(self, work_item): ...\n", "wrong-new"),
        ("class Farm(PyScheduler):\n    def __new__(cls, *args): ...\n    def onSchedule(self, work_item): ...\n", None),
        (("class Meta(type):\n    def __call__(cls): ...\n"
         "class Farm(PyScheduler, metaclass=Meta):\n    def onSchedule(self, work_item): ...\n"), "wrong-new"),
        (("class Meta(type):\n    def __call__(cls, *args): ...\n"
         "class Farm(PyScheduler, metaclass=Meta):\n    def onSchedule(self, work_item): ...\n"), None),
        ("import typing\nclass Farm(typing.Protocol):\n" + "".join(
            f"    def {row.signature}: ...\n" for row in CALLBACKS if row.need is not Need.OPTIONAL), "abstract-class"),
        ("def Farm(scheduler, name): ...\n", "not-a-class"),
        ("Farm = object()\n", "not-a-class"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_an_instance_of_is_refused(author: Author, source: str, code: str | None) -> None:
    assert codes(found(author, source)) == ([code] if code else [])


@pytest.mark.parametrize(
    ("source", "what", "hint"),
    [
        ("Farm = 'Farm'", "the text 'Farm'", "registerScheduler(Farm)"),
        ("Farm = None", "is None", "decorator"),
        ("Farm = 3", "an int", "the class itself"),
        ("def Farm(): ...", 'the function "Farm"', "the class itself"),
        ("class Maker: ...\nFarm = Maker()", "an instance of Maker", "without the brackets"),
    ],
)
def test_what_is_no_class_is_called_by_its_name(author: Author, source: str, what: str, hint: str) -> None:
    (problem,) = found(author, source)
    assert problem.code == "not-a-class"
    assert what in problem.message
    assert hint in str(problem.hint)


def test_a_class_is_never_made_an_instance_of_to_find_out(author: Author) -> None:
    source = """
    class Meta(type):
        def __call__(cls, *args):
            raise SystemExit(3)
    class Farm(PyScheduler, metaclass=Meta):
        def __new__(cls, *args):
            raise SystemExit(3)
        def onSchedule(self, work_item): ...
    """
    assert found(author, source) == []


def test_a_node_class_is_held_to_the_callbacks_of_its_kind(author: Author) -> None:
    source = """
    from topcook.contract.processor import PyProcessor
    class Bad(PyProcessor):
        def onGenerat(self, item_holder, upstream_items, generation_type): ...
    class Good(PyProcessor):
        def onGenerate(self, item_holder, upstream_items, generation_type): ...
    """
    module = author(source)
    assert validate_node(module.Good, NodeType.Processor) == []
    (problem,) = validate_node(module.Bad, NodeType.Processor)
    assert problem.hint == 'did you mean "onGenerate"? Rename "onGenerat"'
    assert codes(validate_node(module.Good, NodeType.Mapper)) == ["missing-callback"]


PIECES = st.sampled_from(
    ["self", "work_item", "*", "*args", "x=1", "**kw", "/", "cancel", "static", "cook_set", "y", "dependents"]
)


@settings(max_examples=150)
@given(
    name=st.sampled_from([row.name for row in CALLBACKS] + ["templateName", "__init__", "onTik"]),
    pieces=st.lists(PIECES, max_size=5, unique=True),
    before=st.sampled_from(["", "@staticmethod\n    ", "@classmethod\n    ", "@property\n    ", "async "]),
)
def test_no_signature_upsets_the_validator(name: str, pieces: list[str], before: str) -> None:
    source = f"class Farm:\n    {before}def {name}({', '.join(pieces)}): return 1\n"
    namespace: dict[str, Any] = {"__name__": "generated"}
    try:
        exec(source, namespace)
    except SyntaxError:
        return
    for problem in validate_scheduler(namespace["Farm"]):
        assert problem.message
        assert problem.hint


@given(st.one_of(st.none(), st.integers(), st.text(), st.functions(), st.just(type), st.just(int), st.just(object)))
def test_whatever_is_registered_gets_an_answer(thing: object) -> None:
    assert validate_scheduler(thing)
