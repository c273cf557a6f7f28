"""When nodes make their items, and what stops them."""

from __future__ import annotations

from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.schedulers import SchedulerState
from topcook.model.enums import GenerateWhen
from topcook.model.states import WorkItemState
from topcook.model.workitem import Trait, WorkItem
from topcook.testkit.machine import FARM, MachineDriver

ALL_COOKED = GenerateWhen.AllUpstreamCooked
EACH_COOKED = GenerateWhen.EachUpstreamCooked
AUTOMATIC = Trait.STATIC | Trait.AUTOMATIC


def done(cook: MachineDriver, *items: WorkItem) -> None:
    cook.tell(
        *(ev.ItemEvent(item, trigger, cook.now) for item in items for trigger in (Trigger.ACCEPTED, Trigger.SUCCEED))
    )


def test_static_nodes_make_their_items_before_the_cook_inputs_first(cook: MachineDriver) -> None:
    cook.node("a")
    cook.node("b", "a")
    cook.request()
    order = cook.take(ins.Generate)
    assert (order.node, order.upstream, order.static, order.each) == ("a", [], True, False)
    one = cook.new_item("a")
    cook.generated(order, one)
    order = cook.take(ins.Generate)
    assert (order.node, order.upstream) == ("b", [one])
    two = cook.new_item("b", one)
    cook.generated(order, two)
    cook.go()
    cook.start()
    assert cook.offered() == [one]
    done(cook, one)
    assert cook.offered() == [two]
    done(cook, two)
    assert cook.end() == "cooked"


def test_a_node_is_asked_once_however_its_inputs_join(cook: MachineDriver) -> None:
    cook.node("top")
    cook.node("left", "top")
    cook.node("right", "top")
    cook.node("bottom", "left", "right", "left")
    cook.request()
    cook.generated(cook.take(ins.Generate), cook.new_item("top", traits=AUTOMATIC))
    left, right = cook.take_all(ins.Generate)
    assert [left.node, right.node] == ["left", "right"]
    made = cook.new_item("left", traits=AUTOMATIC)
    cook.generated(left, made)
    other = cook.new_item("right", traits=AUTOMATIC)
    cook.generated(right, other)
    assert cook.take(ins.Generate).upstream == [made, other]


def test_a_node_without_items_lets_the_next_one_go_on(cook: MachineDriver) -> None:
    cook.node("a")
    cook.node("b", "a", when=EACH_COOKED)
    cook.node("c", "b", when=ALL_COOKED)
    cook.request()
    cook.generated(cook.take(ins.Generate))
    cook.go()
    order = cook.take(ins.Generate)
    assert (order.node, order.upstream) == ("c", [])
    cook.generated(order)
    assert cook.end(()) == "cooked"


def test_a_dynamic_node_makes_items_from_each_item_that_has_cooked(cook: MachineDriver) -> None:
    good, bad = cook.item("a"), cook.item("a")
    last = cook.item("a")
    cook.node("b", "a", when=EACH_COOKED)
    cook.begin()
    cook.offered()
    done(cook, good)
    order = cook.take(ins.Generate)
    assert (order.node, order.upstream, order.static, order.each) == ("b", [good], False, True)
    cook.said(bad, Trigger.ACCEPTED, Trigger.FAIL)
    child = cook.new_item("b", good)
    cook.generated(order, child)
    assert cook.offered() == []
    done(cook, last)
    order = cook.take(ins.Generate)
    assert order.upstream == [last]
    assert cook.offered() == [child], "nothing waits for the items that are still to be made"
    done(cook, child)
    cook.generated(order)
    assert cook.end() == "failed"


def test_a_dynamic_node_starts_from_what_cooked_in_an_earlier_cook(cook: MachineDriver) -> None:
    before = cook.item("a")
    before.phase, before.state = Phase.SUCCESS, WorkItemState.CookedSuccess
    cook.node("b", "a", when=EACH_COOKED)
    cook.request()
    cook.go()
    order = cook.take(ins.Generate)
    assert order.upstream == [before]
    cook.generated(order)
    assert cook.end(()) == "cooked"


def test_what_is_done_before_the_cook_is_not_generated_from_before_the_cook(cook: MachineDriver) -> None:
    first = cook.item("a", traits=AUTOMATIC)
    cook.node("b", "a", when=EACH_COOKED)
    cook.request()
    assert first.phase == Phase.SUCCESS
    cook.go()
    assert cook.take(ins.Generate).upstream == [first]


def test_a_dynamic_node_without_inputs_makes_its_items_as_the_cook_begins(cook: MachineDriver) -> None:
    cook.node("a", when=EACH_COOKED)
    cook.request()
    cook.go()
    order = cook.take(ins.Generate)
    assert (order.upstream, order.static, order.each) == ([], False, False)
    cook.generated(order)
    assert cook.end(()) == "cooked"


def test_a_node_that_waits_for_all_is_asked_once_when_everything_has_cooked(cook: MachineDriver) -> None:
    one, two = cook.item("a"), cook.item("a")
    cook.node("b", "a", when=ALL_COOKED)
    cook.begin()
    cook.offered()
    done(cook, one)
    assert cook.waiting == []
    done(cook, two)
    order = cook.take(ins.Generate)
    assert (order.upstream, order.each) == ([one, two], False)
    cook.generated(order)
    assert cook.end() == "cooked"


def test_a_node_that_waits_for_all_does_not_generate_when_some_failed(cook: MachineDriver) -> None:
    one, two = cook.item("a"), cook.item("a")
    node = cook.node("b", "a", when=ALL_COOKED)
    below = cook.node("c", "b")
    cook.begin()
    cook.offered()
    done(cook, one)
    cook.said(two, Trigger.ACCEPTED, Trigger.FAIL)
    assert cook.end() == "failed"
    assert node.stalled == "it generates when all its inputs have cooked, and a_2 did not"
    assert below.stalled == 'input "b" made not all of its work items'


def test_a_node_that_waits_for_all_misses_items_that_were_never_made(cook: MachineDriver) -> None:
    """The failure stands further up: the node between made no item from it."""
    bad = cook.item("a")
    cook.node("b", "a", when=EACH_COOKED)
    node = cook.node("c", "b", when=ALL_COOKED)
    cook.begin()
    cook.offered()
    cook.said(bad, Trigger.ACCEPTED, Trigger.FAIL)
    assert cook.end() == "failed"
    assert "a_1 did not" in node.stalled


def test_a_partition_of_what_failed_is_made_and_blocked(cook: MachineDriver) -> None:
    good, bad = cook.item("a"), cook.item("a")
    cook.node("b", "a", when=ALL_COOKED, partitioner=True)
    cook.begin()
    cook.offered()
    done(cook, good)
    cook.said(bad, Trigger.ACCEPTED, Trigger.FAIL)
    order = cook.take(ins.Generate)
    assert order.upstream == [good, bad]
    fine = cook.new_item("b", good, traits=Trait.AUTOMATIC)
    blocked = cook.new_item("b", bad, traits=Trait.AUTOMATIC)
    cook.generated(order, fine, blocked)
    assert (fine.phase, blocked.phase) == (Phase.SUCCESS, Phase.BLOCKED)
    assert cook.end() == "failed"


def test_what_failed_stands_in_a_partition_for_the_items_it_kept_from_being_made(cook: MachineDriver) -> None:
    good, bad = cook.item("a"), cook.item("a")
    cook.node("b", "a", when=EACH_COOKED)
    cook.node("c", "b", when=EACH_COOKED)
    cook.node("d", "c", when=ALL_COOKED, partitioner=True)
    cook.begin()
    cook.offered()
    cook.said(bad, Trigger.ACCEPTED, Trigger.FAIL)
    done(cook, good)
    child = cook.new_item("b", good, traits=Trait.AUTOMATIC)
    cook.generated(cook.take(ins.Generate), child)
    grandchild = cook.new_item("c", child, traits=Trait.AUTOMATIC)
    cook.generated(cook.take(ins.Generate), grandchild)
    order = cook.take(ins.Generate)
    assert (order.node, order.upstream) == ("d", [grandchild, bad])


def test_a_call_that_fails_stalls_its_node_and_all_below_while_the_rest_cooks(cook: MachineDriver) -> None:
    cook.node("a")
    cook.node("b", "a", when=EACH_COOKED)
    cook.node("c", "b", when=ALL_COOKED, partitioner=True)
    other = cook.item("other")
    cook.request()
    order = cook.take(ins.Generate)
    cook.tell(ev.GenerationFailed(order.node, "onGenerate raised", cook.now))
    cook.go()
    cook.start()
    assert cook.offered() == [other]
    done(cook, other)
    assert cook.end() == "failed"
    assert [cook.nodes[name].stalled for name in "abc"] == [
        "onGenerate raised",
        'input "a" made not all of its work items',
        'input "b" made not all of its work items',
    ]


def test_a_node_that_made_some_of_its_items_is_stalled_and_those_are_cooked(cook: MachineDriver) -> None:
    cook.node("a")
    cook.node("b", "a")
    cook.request()
    order = cook.take(ins.Generate)
    item = cook.new_item("a")
    cook.tell(ev.ItemsGenerated(order.node, [item], cook.now, incomplete=True))
    cook.go()
    cook.start()
    assert cook.offered() == [item]
    done(cook, item)
    assert cook.end() == "failed"
    assert cook.nodes["b"].stalled


def test_an_item_made_of_something_blocked_is_blocked(cook: MachineDriver) -> None:
    bad = cook.item("a")
    waits = cook.item("a", bad)
    free = cook.item("b")
    cook.node("c", "b", when=EACH_COOKED)
    cook.begin()
    cook.offered()
    cook.said(bad, Trigger.ACCEPTED, Trigger.FAIL)
    done(cook, free)
    made = cook.new_item("c", free, waits)
    below = cook.new_item("c", made)
    cook.generated(cook.take(ins.Generate), made, below)
    assert made.phase == below.phase == Phase.BLOCKED
    assert cook.end() == "failed"


def test_a_scheduler_that_is_first_needed_in_the_middle_is_started_then(cook: MachineDriver) -> None:
    from topcook.machine.schedulers import SchedulerState

    first = cook.item("a")
    cook.node("b", "a", when=EACH_COOKED)
    cook.begin()
    cook.offered()
    done(cook, first)
    order = cook.take(ins.Generate)
    cook.state.know_scheduler(SchedulerState("late"))
    item = cook.new_item("b", first, scheduler="late")
    cook.generated(order, item)
    cook.start()
    assert cook.offered("late") == [item]
    done(cook, item)
    assert cook.end(["farm", "late"]) == "cooked"


def test_nodes_are_asked_in_the_order_of_the_network_in_every_run() -> None:
    cook = MachineDriver()
    cook.node("top")
    names = [f"node{index}" for index in range(40)]
    for name in names:
        cook.node(name, "top")
    cook.request()
    cook.generated(cook.take(ins.Generate))
    assert [order.node for order in cook.take_all(ins.Generate)] == names


def test_a_call_that_was_given_up_and_comes_back_changes_nothing(cook: MachineDriver) -> None:
    cook.node("a")
    cook.request()
    order = cook.take(ins.Generate)
    cook.cancel()
    cook.tell(ev.GenerationFailed("a", "it did not come back", cook.now))
    assert cook.take(ins.Finish).outcome == "canceled"
    cook.generated(order, cook.new_item("a"))
    assert cook.nodes["a"].node.items == []


def test_a_cook_of_many_items_begins_while_the_rest_is_made() -> None:
    cook = MachineDriver(SchedulerState("quick", max_items=0, begins_early=True), SchedulerState("farm", max_items=0))
    for name, above in (("a", ()), ("b", ("a",)), ("c", ("b",))):
        cook.node(name, *above)
    cook.state.early_from = 2
    cook.request()
    first, second = cook.new_item("a", scheduler="quick"), cook.new_item("a", scheduler="farm")
    cook.generated(cook.take(ins.Generate), first, second)
    order = cook.take(ins.Generate)
    cook.go()
    (starting,) = cook.take_all(ins.StartScheduler)
    assert starting.scheduler == "quick", "the other one is to see all static items first"
    cook.tell(ev.SchedulerStarted("quick", ok=True, at=1.0))
    assert cook.offered("quick") == [first]
    done(cook, first)
    third = cook.new_item("b", first, scheduler="quick")
    cook.generated(order, third)
    order = cook.take(ins.Generate)
    assert cook.offered("quick") == [third], "what it waits for was done before it was made"
    cook.generated(order)
    cook.start()
    assert cook.offered("farm") == [second]
    done(cook, second, third)
    assert cook.end(("farm", "quick")) == "cooked"


def test_a_mistake_in_an_early_cook_fails_its_node_and_one_before_it_lets_none_begin_early() -> None:
    def begun(early_from: int) -> MachineDriver:
        cook = MachineDriver(SchedulerState(FARM, max_items=0, begins_early=True))
        for name, above in (("a", ()), ("b", ("a",)), ("other", ()), ("d", ("b",))):
            cook.node(name, *above)
        cook.state.early_from = early_from
        cook.request()
        return cook

    cook = begun(1)
    one, other = cook.take_all(ins.Generate)
    made = cook.new_item("a")
    cook.generated(one, made)
    cook.take(ins.Generate)
    cook.go()
    cook.start()
    assert cook.offered() == [made]
    cook.tell(ev.GenerationFailed("b", "no", 1.0))
    cook.generated(other)
    done(cook, made)
    assert cook.state.nodes["d"].stalled
    assert cook.end() == "failed"

    cook = begun(2)
    one, other = cook.take_all(ins.Generate)
    cook.tell(ev.GenerationFailed("other", "no", 1.0))
    cook.generated(one, cook.new_item("a"), cook.new_item("a"))
    order = cook.take(ins.Generate)
    assert not cook.waiting, "the mistake is the refusal of the cook, when all have been found"
    cook.generated(order)
    cook.generated(cook.take(ins.Generate))
    cook.take(ins.StaticReady)


def test_items_of_one_call_that_join_in_portions_begin_before_the_last_of_them_has_joined() -> None:
    cook = MachineDriver(SchedulerState(FARM, max_items=0, begins_early=True))
    for name, above in (("a", ()), ("b", ("a",))):
        cook.node(name, *above)
    cook.state.early_from = 2
    cook.request()
    order = cook.take(ins.Generate)
    first, third = cook.new_item("a"), cook.new_item("a")
    second = cook.new_item("a", third)
    cook.generated(order, first, second, more=True)
    cook.go()
    cook.start()
    assert cook.offered() == [first], "the second waits for one that has not joined yet"
    done(cook, first)
    assert not cook.state.nodes["a"].complete
    cook.generated(order, third, more=True)
    assert cook.offered() == [third]
    cook.generated(order)
    cook.generated(cook.take(ins.Generate))
    done(cook, third)
    assert cook.offered() == [second]
    done(cook, second)
    assert cook.end() == "cooked"


def test_a_cook_that_is_canceled_between_two_portions_ends_and_keeps_none_of_the_later() -> None:
    cook = MachineDriver(SchedulerState(FARM, max_items=0, begins_early=True))
    cook.node("a")
    cook.state.early_from = 1
    cook.request()
    order = cook.take(ins.Generate)
    first, late = cook.new_item("a"), cook.new_item("a")
    cook.generated(order, first, more=True)
    cook.go()
    cook.start()
    assert cook.offered() == [first]
    cook.tell(ev.CancelRequested(1.0, "enough"))
    cook.stop()
    assert not cook.waiting, "others of its items are on their way"
    cook.generated(order, late)
    assert cook.take(ins.Finish).outcome == "canceled"
    assert cook.state.nodes["a"].node.items == [first]
