from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.contract.partitioner import PyPartitioner
from topcook.contract.processor import PyProcessor
from topcook.errors import CookError, ExpressionError, ProblemsError
from topcook.factory.scan import Factory
from topcook.model.attributes import AttribFlag
from topcook.model.enums import CloneMode, GenerateWhen, GenerationType, Result
from topcook.model.node import Node
from topcook.model.workitem import Trait, WorkItem
from topcook.runtime.generation import (
    GenerationRequest,
    GenerationResult,
    Generator,
    finish_late_command,
    plan_generation,
)
from topcook.testkit.nodebench import NodeBench


@pytest.fixture(scope="module")
def factory() -> Factory:
    return Factory.scan({})


@pytest.fixture
def bench(factory: Factory, tmp_path: Path) -> NodeBench:
    return NodeBench(tmp_path, factory)


def processor(generate: Callable[..., Any], **more: Callable[..., Any]) -> type:
    """A node type whose onGenerate is ``generate(self, item_holder, upstream_items, generation_type)``."""
    return type("Made", (PyProcessor,), {"onGenerate": generate, **more})


def add(_self: Any, holder: Any, upstream: list[Any], _kind: Any, **options: Any) -> None:
    for parent in upstream or [None]:
        holder.addWorkItem(parent=parent, **options)


class TestCalls:
    def test_static_is_one_call_with_all_items_and_dynamic_one_per_item(self, bench: NodeBench) -> None:
        calls: list[tuple[int, GenerationType]] = []

        def generate(_self: Any, _holder: Any, upstream: list[Any], kind: GenerationType) -> None:
            calls.append((len(upstream), kind))

        source = bench.node("s", "genericgenerator", itemcount=3)
        bench.make(source)
        node = bench.node("n", processor(generate), [source])
        bench.make(node)
        bench.make(node, static=False)
        bench.make(node, static=False, each=True)
        one, dynamic = GenerationType.Static, GenerationType.Dynamic
        assert calls == [(3, one), (3, dynamic), (1, dynamic), (1, dynamic), (1, dynamic)]

    def test_a_node_whose_inputs_have_no_items_is_not_called(self, bench: NodeBench) -> None:
        source = bench.node("s", "filepattern", pattern="*.none")
        bench.make(source)
        assert bench.make(bench.node("n", processor(add), [source])) == []

    def test_items_that_generate_nothing_are_passed_over(self, bench: NodeBench) -> None:
        source = bench.node("s", processor(lambda *args: (add(*args), add(*args, isNoGenerate=True))[1]))
        bench.make(source)
        assert len(bench.make(bench.node("n", processor(add), [source]))) == 1

    def test_one_failing_call_discards_its_own_items_only(self, bench: NodeBench) -> None:
        def generate(self: Any, holder: Any, upstream: list[Any], _kind: Any) -> Any:
            holder.addWorkItem(parent=upstream[0])
            return upstream[0].index != 1

        source = bench.node("s", "genericgenerator", itemcount=3)
        bench.make(source)
        result = bench.generate(bench.node("n", processor(generate), [source]), static=False, each=True)
        assert [item.index for item in result.items] == [0, 2]
        assert len(result.problems) == 1

    def test_an_exception_points_at_the_author_s_line(self, bench: NodeBench) -> None:
        def generate(_self: Any, holder: Any, _upstream: list[Any], _kind: Any) -> None:
            holder.addWorkItem()
            raise RuntimeError("no more plates")

        (problem,) = bench.generate(bench.node("n", processor(generate))).problems
        assert (problem.path, problem.line) == (__file__, generate.__code__.co_firstlineno + 2)
        assert "no more plates" in problem.message

    def test_an_exception_from_the_standard_library_points_at_the_line_that_called_it(self, bench: NodeBench) -> None:
        def generate(*_: Any) -> None:
            json.loads("{")

        (problem,) = bench.generate(bench.node("n", processor(generate))).problems
        assert (problem.path, problem.line) == (__file__, generate.__code__.co_firstlineno + 1)

    def test_a_holder_takes_nothing_after_its_callback(self, bench: NodeBench) -> None:
        kept: list[Any] = []
        bench.make(bench.node("n", processor(lambda _self, holder, *_: kept.append(holder))))
        for call in (kept[0].addWorkItem, lambda: kept[0].addDependency(1, 2), lambda: kept[0].setExpressions(1)):
            with pytest.raises(Exception, match="had ended"):
                call()

    def test_the_same_mistake_of_many_items_is_told_once_with_their_number(self, bench: NodeBench) -> None:
        (problem,) = bench.generate(bench.node("n", "genericgenerator", itemcount=500, command="@nope")).problems
        assert "and so for 499 more work items" in problem.message

    def test_a_wrong_answer_is_told_where_the_callback_stands(self, bench: NodeBench) -> None:
        def generate(*_: Any) -> str:
            return "fine"

        (problem,) = bench.generate(bench.node("n", processor(generate))).problems
        assert (problem.path, problem.line) == (__file__, generate.__code__.co_firstlineno)

    def test_a_base_class_callback_that_is_missing_is_told(self, bench: NodeBench) -> None:
        result = bench.generate(bench.node("n", type("Empty", (PyProcessor,), {})))
        assert 'has no "onGenerate"' in str(result.problems[0])


class TestItems:
    def test_an_item_inherits_attributes_frame_priority_and_index(self, bench: NodeBench) -> None:
        def parent(_self: Any, holder: Any, *_: Any) -> None:
            item = holder.addWorkItem(index=5, frame=10, frameStep=2, priority=3, label="shot")
            item.setIntAttrib("take", 7)
            item.setStringAttrib("private", "x")
            item.setAttribFlag("private", AttribFlag.NoCopy, True)

        source = bench.node("s", processor(parent))
        (first,) = bench.make(source)
        (item,) = bench.make(bench.node("n", processor(add), [source]))
        assert (item.index, item.frame, item.frame_step, item.priority, item.label) == (5, 10, 2, 3, "")
        assert set(item.attributes or {}) == {"take"}
        assert (item.attributes or {})["take"] is (first.attributes or {})["take"]
        assert item.dependencies == [first]

    def test_a_child_changes_nothing_of_its_parent(self, bench: NodeBench) -> None:
        source = bench.node("s", "wedge", wedgeattributes=[{"name": "a", "values": [1]}])
        (first,) = bench.make(source)

        def change(_self: Any, holder: Any, upstream: list[Any], _kind: Any) -> None:
            holder.addWorkItem(parent=upstream[0]).setIntAttrib("a", 2)

        (item,) = bench.make(bench.node("n", processor(change), [source]))
        assert (first.attributes or {})["a"].values == (1,)
        assert (item.attributes or {})["a"].values == (2,)

    def test_a_clone_takes_attributes_and_files_of_another_item(self, bench: NodeBench) -> None:
        source = bench.node("s", "wedge", wedgeattributes=[{"name": "a", "values": [1, 2]}])
        bench.cook(bench.make(source)[1], "two.png")

        def clone(_self: Any, holder: Any, upstream: list[Any], _kind: Any) -> None:
            holder.addWorkItem(parent=upstream[0], cloneTarget=upstream[1], cloneResultData=True)
            holder.addWorkItem(parent=upstream[0], cloneMode=CloneMode.Never)

        item, bare = bench.make(bench.node("n", processor(clone), [source]))
        assert (item.attributes or {})["a"].values == (2,)
        assert [made.path for made in item.outputs or ()] == ["two.png"]
        assert bare.attributes is None

    def test_options_may_come_as_an_object_and_keywords_win(self, bench: NodeBench) -> None:
        from pdg import WorkItemOptions

        def generate(_self: Any, holder: Any, *_: Any) -> None:
            assert holder.isEmpty
            options = WorkItemOptions(name="hero", index=4, inProcess=True)
            holder.addWorkItem(options)
            holder.addWorkItem(options, name="", index=5)
            assert [item.index for item in holder.workItems] == [4, 5]

        first, second = bench.make(bench.node("n", processor(generate)))
        assert (first.name, second.name) == ("hero", f"n_{second.id}")
        assert Trait.IN_PROCESS in second.traits

    def test_indices_go_on_from_call_to_call(self, bench: NodeBench) -> None:
        source = bench.node("s", "genericgenerator", itemcount=2)
        bench.make(source)
        node = bench.node("n", processor(lambda *args: (args[1].addWorkItem(), None)[1]), [source])
        assert [item.index for item in bench.make(node, static=False, each=True)] == [0, 1]


class TestInternalDependencies:
    def link(self, *pairs: tuple[int, int]) -> type:
        def generate(_self: Any, holder: Any, *_: Any) -> None:
            for _ in range(4):
                holder.addWorkItem()

        def dependencies(_self: Any, holder: Any, items: list[Any], is_static: bool) -> Any:
            assert is_static
            for child, parent in pairs:
                holder.addDependency(items[child], items[parent])
            return Result.Success

        return processor(generate, onAddInternalDependencies=dependencies)

    def test_they_are_kept_once_and_in_order(self, bench: NodeBench) -> None:
        items = bench.make(bench.node("n", self.link((3, 1), (3, 0), (3, 1), (1, 0))))
        assert items[3].dependencies == [items[1], items[0]]
        assert items[1].dependencies == [items[0]]

    @pytest.mark.parametrize("pairs", [[(0, 0)], [(0, 1), (1, 0)], [(0, 1), (1, 2), (2, 3), (3, 0)]])
    def test_a_loop_is_told_as_a_chain(self, bench: NodeBench, pairs: list[tuple[int, int]]) -> None:
        result = bench.generate(bench.node("n", self.link(*pairs)))
        assert not result.items
        names = str(result.problems[0]).split("loop: ")[1].split(" -> ")
        assert names[0] == names[-1]
        assert len(names) == len(pairs) + 1

    @settings(max_examples=100, deadline=None)
    @given(pairs=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=8))
    def test_a_loop_is_found_exactly_when_there_is_one(self, factory: Factory, pairs: list[tuple[int, int]]) -> None:
        bench = NodeBench(".", factory)
        result = bench.generate(bench.node("n", self.link(*pairs)))
        reach = {number: {parent for child, parent in pairs if child == number} for number in range(4)}
        for _ in range(4):
            reach = {number: seen | {far for near in seen for far in reach[near]} for number, seen in reach.items()}
        assert bool(result.problems) == any(number in seen for number, seen in reach.items())


class TestLateCommands:
    def test_it_is_put_together_when_the_inputs_are_there(self, bench: NodeBench) -> None:
        source = bench.node("s", "genericgenerator")
        (first,) = bench.make(source)
        (item,) = bench.make(bench.node("n", "genericgenerator", [source], command="cat @pdg_input for me@@home"))
        with pytest.raises(ExpressionError):
            finish_late_command(item, bench)
        bench.cook(first, "a b.txt")
        finish_late_command(item, bench)
        finish_late_command(item, bench)
        assert item.command == "cat a b.txt for me@home"
        assert Trait.LATE_COMMAND not in item.traits

    def test_through_a_partition_declared_files_are_known_early(self, bench: NodeBench) -> None:
        source = bench.node("s", "genericgenerator", itemcount=2, outputs=[{"path": "f.@pdg_index"}])
        gathered = bench.node("all", "waitforall", [source])
        bench.make(source)
        bench.make(gathered)
        (item,) = bench.make(bench.node("n", "genericgenerator", [gathered], command="join @pdg_input.0 @pdg_input.1"))
        assert item.command == "join f.0 f.1"

    def test_an_output_named_after_an_unknown_input_is_refused(self, bench: NodeBench) -> None:
        source = bench.node("s", "genericgenerator")
        bench.make(source)
        result = bench.generate(bench.node("n", "genericgenerator", [source], outputs=[{"path": "@pdg_input"}]))
        assert "eachcooked" in str(result.problems[0])


class TestPartitions:
    def make(self, bench: NodeBench, partition: Callable[..., Any]) -> list[WorkItem]:
        source = bench.node("s", "genericgenerator", framerange=[1, 3])
        bench.make(source)
        return bench.make(bench.node("p", type("Made", (PyPartitioner,), {"onPartition": partition}), [source]))

    def test_frames_attributes_and_items_of_all_partitions(self, bench: NodeBench) -> None:
        def partition(_self: Any, holder: Any, items: list[Any]) -> None:
            holder.addItemToAllPartitions(items[2])
            holder.addItemToPartition(items[0], 4, True)
            holder.addItemToPartition(items[1], 2)
            holder.setPartitionFrame(4, 99)
            holder.setPartitionAttribute(2, "name", "two")
            holder.setPartitionFrame(7, 1)

        two, four = self.make(bench, partition)
        assert [need.frame for need in two.dependencies] == [2, 3]
        assert [need.frame for need in four.dependencies] == [1, 3]
        assert (two.index, two.frame, four.index, four.frame) == (2, None, 4, 99)
        assert (two.attributes or {})["name"].values == ("two",)

    def test_a_negative_index_is_told(self, bench: NodeBench) -> None:
        with pytest.raises(AssertionError, match="count from 0"):
            self.make(bench, lambda _self, holder, items: holder.addItemToPartition(items[0], -1))


class TestGenerateWhen:
    def plans(self, bench: NodeBench, *nodes: Node) -> dict[str, tuple[GenerateWhen, bool]]:
        plans = plan_generation(nodes, lambda node: type(bench.instance(node)))
        return {node.name: (plan.when, plan.static) for node, plan in plans.items()}

    def test_what_follows_dynamic_nodes_is_dynamic(self, bench: NodeBench) -> None:
        a = bench.node("a", "genericgenerator")
        b = bench.node("b", "genericgenerator", [a])
        c = bench.node("c", "genericgenerator", [b], pdg_workitemgeneration="dynamic")
        d = bench.node("d", "genericgenerator", [c])
        e = bench.node("e", "waitforall", [d, a])
        f = bench.node("f", "genericgenerator", [c], pdg_workitemgeneration="static")
        generated, each = GenerateWhen.AllUpstreamGenerated, GenerateWhen.EachUpstreamCooked
        assert self.plans(bench, e, f) == {
            "a": (generated, True),
            "b": (generated, True),
            "c": (each, False),
            "d": (each, False),
            "e": (GenerateWhen.AllUpstreamCooked, False),
            "f": (generated, False),
        }

    @pytest.mark.parametrize(
        ("asked", "when"),
        [
            (0, "AllUpstreamGenerated"),
            (1, "AllUpstreamGenerated"),
            ("2", "AllUpstreamCooked"),
            (3, "EachUpstreamCooked"),
            ("AllCooked ", "AllUpstreamCooked"),
            ("", "AllUpstreamGenerated"),
        ],
    )
    def test_menu_numbers_and_names_mean_the_same(self, bench: NodeBench, asked: object, when: str) -> None:
        a = bench.node("a", "genericgenerator")
        b = bench.node("b", "genericgenerator", [a], pdg_workitemgeneration=asked)
        assert self.plans(bench, b)["b"][0] is GenerateWhen[when]

    def test_all_that_ask_for_something_unknown_are_told(self, bench: NodeBench) -> None:
        nodes = [
            bench.node(name, "genericgenerator", pdg_workitemgeneration=asked)
            for name, asked in (("a", "sometimes"), ("b", 4))
        ]
        with pytest.raises(ProblemsError) as raised:
            self.plans(bench, *nodes)
        assert len(raised.value.problems) == 2
        assert "eachcooked" in str(raised.value)


class TestThread:
    def test_callbacks_run_one_at_a_time_on_a_thread_of_their_own(self, bench: NodeBench) -> None:
        threads: set[threading.Thread] = set()
        done: SimpleQueue[GenerationResult] = SimpleQueue()
        generator = Generator(bench, done.put)

        def generate(self: Any, holder: Any, *_: Any) -> None:
            threads.add(threading.current_thread())
            holder.addWorkItem()

        node = bench.node("n", processor(generate))
        for _ in range(5):
            generator.submit(GenerationRequest(node, bench.instance(node), [], True))
        results = [done.get(timeout=60) for _ in range(5)]
        assert [len(result.items) for result in results] == [1] * 5
        assert len(threads) == 1
        assert threading.current_thread() not in threads
        assert generator.close()

    def test_closing_does_not_wait_for_author_code_for_ever(self, bench: NodeBench) -> None:
        entered, leave = threading.Event(), threading.Event()
        generator = Generator(bench)

        def generate(*_: Any) -> None:
            entered.set()
            leave.wait(60)

        node = bench.node("n", processor(generate))
        generator.submit(GenerationRequest(node, bench.instance(node), [], True))
        assert entered.wait(60)
        assert not generator.close(timeout=0.01)
        leave.set()
        assert generator.close()


def test_an_in_process_item_that_answers_failure_fails(bench: NodeBench) -> None:
    node = bench.node("n", processor(add, onCookTask=lambda _self, _item: Result.Failure))
    (item,) = bench.make(node)
    with pytest.raises(CookError, match="answered"):
        bench.cook_in_process(item)
