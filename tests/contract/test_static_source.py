from __future__ import annotations

import textwrap
from collections.abc import Callable
from types import ModuleType

import pytest

from topcook.contract.static_source import takes_static, takes_static_snippet

Author = Callable[[str], ModuleType]

LOOKS_ONLY = {
    "a return": "return",
    "a docstring": '"""Nothing to do."""',
    "prints of lengths": "print(len(dependencies), len(dependents))\nprint(len(ready_items))",
    "prints of the things": "print(dependencies)\nprint('ready', ready_items, repr(dependents))",
    "formatting": "text = 'deps %s' % dependencies\ntext += f'{ready_items}'\ntext = '{}'.format(dependents)\nprint(text)",
    "an own log helper": "self.tell(ready_items)\nself._log('static', dependencies)",
    "logging": "import logging\nlogging.getLogger(__name__).info('%s', dependencies)",
    "throw-away assignments": "_ = dependencies\n_, unused = dependents, ready_items\ndel unused",
    "a loop that prints": "for item in ready_items:\n    print(item.name, item.label)\nfor k, v in dependencies.items():\n"
    "    self._verboseLog('%s', k)",
    "a comprehension that is logged": "names = [item.name for item in ready_items]\nprint(', '.join(names))",
    "a list filled and printed": "names = []\nfor item in ready_items:\n    names.append(item.name)\nprint(sorted(names))",
    "a test": "if not ready_items:\n    return\nif len(dependencies) == 0:\n    return",
    "the base class": "super().onScheduleStatic(dependencies, dependents, ready_items)",
    "a module function that prints": "show(ready_items)",
    "an assertion": "assert isinstance(ready_items, list), ready_items",
    "counting": "count = 0\nfor item in ready_items:\n    count += 1\nself.count = count",
}
PASSES_ON = {
    "onSchedule of each": "for item in ready_items:\n    self.onSchedule(item)",
    "kept for later": "self.dependencies = dependencies",
    "given to the farm": "self.farm.submit(dependencies, ready_items)",
    "a comprehension that is given": "self.farm.submit([item.command for item in ready_items])",
    "a table filled and given": "table = {}\nfor item, deps in dependencies.items():\n    table[item.name] = len(deps), item\n"
    "self.farm.submit(table)",
    "a renamed one": "graph = dependencies\nself.send(graph)",
    "a helper that keeps": "self.keep(ready_items)",
    "a method of an item": "for item in ready_items:\n    item.setStringAttrib('farm', 'x')",
    "a queue": "for item in ready_items:\n    self.queue.put(item)",
    "a loop filled below": "late = []\nfor item in late:\n    self.send(item)\n    late.extend(ready_items)",
    "an item written to": "for item in ready_items:\n    item.data.job = 1",
}
CLASS = """
import logging

def show(items):
    for item in items:
        print(item)

class Farm(PyScheduler):
    def tell(self, text):
        self.lines = 3
        print(text)

    def keep(self, items):
        self.later = items

    def _log(self, *args):
        self.stream.put(args)

    def onScheduleStatic(self, dependencies, dependents, ready_items):
"""


def scheduler(author: Author, body: str) -> type:
    made: type = author(CLASS + textwrap.indent(body, " " * 8) + "\n").Farm
    return made


@pytest.mark.parametrize("body", LOOKS_ONLY.values(), ids=LOOKS_ONLY.keys())
def test_a_body_that_only_looks_takes_nothing(author: Author, body: str) -> None:
    takes, why = takes_static(scheduler(author, body))
    assert not takes, why
    assert why == "its onScheduleStatic passes nothing on"


@pytest.mark.parametrize("body", PASSES_ON.values(), ids=PASSES_ON.keys())
def test_a_body_that_passes_on_takes_the_static_items(author: Author, body: str) -> None:
    takes, why = takes_static(scheduler(author, body))
    assert takes, why
    assert " in line " in why


def test_what_the_author_says_goes_before_all_else(author: Author) -> None:
    module = author(
        """
        class Yes(PyScheduler):
            staticCook = True
        class No(StaticCookMixin, PyScheduler):
            staticCook = False
        class Mixed(StaticCookMixin, PyScheduler): pass
        class Plain(PyScheduler): pass
        """
    )
    assert takes_static(module.Yes) == (True, "staticCook = True")
    assert takes_static(module.No) == (False, "staticCook = False")
    assert takes_static(module.Mixed) == (True, "it has StaticCookMixin")
    assert takes_static(module.Plain) == (False, "it has no onScheduleStatic of its own")


def test_an_inherited_body_of_an_author_counts(author: Author) -> None:
    module = author(
        """
        class Studio(PyScheduler):
            def onScheduleStatic(self, dependencies, dependents, ready_items):
                self.farm.submit(dependencies)
        class Farm(Studio): pass
        class Calls(Studio):
            def onScheduleStatic(self, dependencies, dependents, ready_items):
                super().onScheduleStatic(dependencies, dependents, ready_items)
        """
    )
    assert takes_static(module.Farm)[0]
    assert takes_static(module.Calls)[0]


def test_a_body_without_source_counts_as_none() -> None:
    namespace: dict[str, type] = {}
    exec("class Farm:\n    def onScheduleStatic(self, a, b, c): self.farm.submit(a)\n", namespace)
    assert takes_static(namespace["Farm"]) == (False, "the source of its onScheduleStatic cannot be read")


def test_the_text_field_follows_the_same_rule() -> None:
    assert takes_static_snippet("print(len(dependencies))")[0] is False
    assert takes_static_snippet("for item in ready_items:\n\tself.farm.submit(item)")[0] is True
    assert takes_static_snippet("self.onScheduleAll(dependencies)")[0] is True
    assert takes_static_snippet("")[0] is False
    assert takes_static_snippet("(")[0] is False
