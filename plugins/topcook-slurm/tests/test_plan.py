"""Plans of static hand-overs: what Slurm is told is exactly what the graph says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from topcook_slurm.ids import ranges
from topcook_slurm.plan import WIDEST, Need, Plan, make_plan


def plan_of(
    needs: dict[int, list[int]], groups: dict[int, str], most: int = 1001, numbers: dict[int, int] | None = None
) -> Plan:
    counts: dict[str, int] = {}
    given = {}
    for item in needs:
        given[item] = counts.setdefault(groups[item], 0)
        counts[groups[item]] += 1
    return make_plan(needs, groups, numbers or given, most)


def layers(*sizes: int) -> tuple[list[list[int]], dict[int, str]]:
    """Items of so many layers, and the group of each: its layer's letter."""
    made, first = [], 1
    for size in sizes:
        made.append(list(range(first, first + size)))
        first += size
    return made, {item: "abcdef"[place] for place, layer in enumerate(made) for item in layer}


def told(plan: Plan) -> dict[int, set[int]]:
    """What each item waits for by the words that Slurm gets."""
    waits: dict[int, set[int]] = {}
    for place, array in enumerate(plan.arrays):
        for item, task in zip(array.items, array.tasks, strict=True):
            waits[item] = set()
            for need in array.needs:
                assert need.array < place, "what is waited for is submitted first"
                other = plan.arrays[need.array]
                by_task = dict(zip(other.tasks, other.items, strict=True))
                if need.each:
                    # Slurm knows tasks of arrays only, and a single item is none.
                    assert len(other.items) > 1
                    assert len(array.items) > 1
                    waits[item].add(by_task[task])
                elif need.task is not None:
                    assert len(other.items) > 1
                    waits[item].add(by_task[need.task])
                else:
                    waits[item] |= set(other.items)
    return waits


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[int, list[int]], dict[int, str], dict[int, int]]:
    count = draw(st.integers(1, 24))
    needs: dict[int, list[int]] = {}
    for item in range(count):
        needs[item] = draw(st.lists(st.integers(0, item - 1), unique=True, max_size=6)) if item else []
    order = draw(st.permutations(range(count)))
    groups = {item: draw(st.sampled_from("abc")) for item in range(count)}
    numbers = {item: draw(st.integers(-1, 8)) for item in range(count)}
    return {item: needs[item] for item in order}, groups, numbers


@st.composite
def layered(draw: st.DrawFn) -> tuple[dict[int, list[int]], dict[int, str], dict[int, int]]:
    """Layers as nodes make them: each item has a parent or two, and maybe all of a layer need something else as well."""
    needs: dict[int, list[int]] = {}
    groups, numbers, before = {}, {}, [*range(draw(st.integers(1, 5)))]
    for item in before:
        needs[item], groups[item], numbers[item] = [], "-", item
    for layer in range(draw(st.integers(1, 3))):
        made = []
        for number in range(draw(st.integers(1, 8))):
            item = len(needs)
            parents = draw(st.lists(st.sampled_from(before), min_size=1, max_size=2, unique=True))
            needs[item], groups[item], numbers[item] = parents, str(layer), number
            made.append(item)
        before = [*made, *draw(st.lists(st.sampled_from(before), unique=True, max_size=2))]
    return needs, groups, numbers


@given(st.one_of(graphs(), layered()), st.integers(1, 6), st.integers(1, 4))
def test_any_graph_is_told_exactly_and_once(
    graph: tuple[dict[int, list[int]], dict[int, str], dict[int, int]], most: int, longest: int
) -> None:
    needs, groups, numbers = graph
    plan = make_plan(needs, groups, numbers, most, longest)
    planned = [item for array in plan.arrays for item in array.items]
    assert sorted([*planned, *plan.later]) == sorted(needs)
    assert told(plan) == {item: set(needs[item]) for item in planned}
    for array in plan.arrays:
        assert len(array.needs) <= longest
        assert len(set(array.tasks)) == len(array.items) <= most
        assert all(0 <= task < most for task in array.tasks)
        assert len({groups[item] for item in array.items}) == 1
    for item in plan.later:
        assert set(needs[item]) & set(plan.later) or len(needs[item]) > longest


def test_one_to_one_is_two_arrays_task_by_task() -> None:
    (first, second), groups = layers(5, 5)
    needs = {**{item: [] for item in first}, **{b: [a] for a, b in zip(first, second, strict=True)}}
    plan = plan_of(needs, groups)
    assert [len(array.items) for array in plan.arrays] == [5, 5]
    assert plan.arrays[1].needs == (Need(0, each=True),)


def test_large_layers_are_cut_so_that_their_pieces_pair() -> None:
    (first, second), groups = layers(25, 25)
    needs = {**{item: [] for item in first}, **{b: [a] for a, b in zip(first, second, strict=True)}}
    plan = plan_of(needs, groups, most=10)
    assert [len(array.items) for array in plan.arrays] == [10, 10, 5, 10, 10, 5]
    assert [array.needs for array in plan.arrays[3:]] == [(Need(each, each=True),) for each in range(3)]


def test_all_to_one_waits_for_whole_arrays() -> None:
    (first, second), groups = layers(25, 1)
    plan = plan_of({**{item: [] for item in first}, second[0]: first}, groups, most=10)
    assert plan.arrays[-1].needs == (Need(0), Need(1), Need(2))


def test_all_to_all_is_one_array_that_waits_for_the_other() -> None:
    (first, second), groups = layers(4, 6)
    plan = plan_of({**{item: [] for item in first}, **dict.fromkeys(second, first)}, groups)
    assert [(len(array.items), array.needs) for array in plan.arrays] == [(4, ()), (6, (Need(0),))]


def test_arrays_run_one_by_one_where_each_waits_for_the_whole_of_the_one_before_it() -> None:
    (first, second, third), groups = layers(4, 6, 2)
    ready = {item: list[int]() for item in first}
    assert plan_of(ready, groups).one_by_one
    assert not plan_of(ready, groups, most=2).one_by_one
    chain = {**ready, **dict.fromkeys(second, first), **dict.fromkeys(third, second)}
    assert plan_of(chain, groups).one_by_one
    assert not plan_of({**chain, third[1]: first}, groups).one_by_one
    pairs = {**ready, **{b: [a] for a, b in zip(first, second, strict=False)}, second[4]: [], second[5]: []}
    assert not plan_of(pairs, groups).one_by_one


def test_one_to_many_follows_in_as_many_rows() -> None:
    (first, second), groups = layers(10, 20)
    needs = {**{item: [] for item in first}, **{b: [first[place // 2]] for place, b in enumerate(second)}}
    plan = plan_of(needs, groups)
    assert [(len(array.items), array.needs) for array in plan.arrays[1:]] == [(10, (Need(0, each=True),))] * 2


def test_one_of_few_has_its_followers_in_an_array() -> None:
    (first, second), groups = layers(2, 20)
    needs = {**{item: [] for item in first}, **{b: [first[place // 10]] for place, b in enumerate(second)}}
    plan = plan_of(needs, groups)
    assert [(len(array.items), array.needs) for array in plan.arrays[1:]] == [(10, (Need(0, 0),)), (10, (Need(0, 1),))]


def test_two_inputs_with_gaps_are_followed_by_number() -> None:
    """Of the left ones some are done already: theirs are the numbers that the right ones have."""
    left, right, both = {2: 12, 3: 13, 5: 15}, {0: 20, 1: 21, 2: 22, 3: 23, 4: 24, 5: 25}, [30, 31, 32, 33, 34, 35]
    needs: dict[int, list[int]] = {item: [] for item in [*left.values(), *right.values()]}
    needs |= {item: [*([left[n]] if n in left else []), right[n]] for n, item in enumerate(both)}
    groups = {**dict.fromkeys(left.values(), "l"), **dict.fromkeys(right.values(), "r"), **dict.fromkeys(both, "b")}
    numbers = {item: item % 10 for item in needs}
    plan = plan_of(needs, groups, numbers=numbers)
    assert [(array.tasks, array.needs) for array in plan.arrays] == [
        ((2, 3, 5), ()),
        ((0, 1, 2, 3, 4, 5), ()),
        ((0, 1, 4), (Need(1, each=True),)),
        ((2, 3, 5), (Need(0, each=True), Need(1, each=True))),
    ]


def test_the_last_of_many_followers_is_a_job_by_itself() -> None:
    (first, second), groups = layers(3, 4)
    needs = {**{item: [] for item in first}, **{b: [first[place % 3]] for place, b in enumerate(second)}}
    plan = plan_of(needs, groups)
    assert [(len(array.items), array.needs) for array in plan.arrays[1:]] == [
        (3, (Need(0, each=True),)),
        (1, (Need(0, 0),)),
    ]


def test_a_chain_in_one_node_is_a_job_each() -> None:
    plan = plan_of({1: [], 2: [1], 3: [2]}, dict.fromkeys((1, 2, 3), "a"))
    assert [(array.items, array.needs) for array in plan.arrays] == [((1,), ()), ((2,), (Need(0),)), ((3,), (Need(1),))]


def test_what_needs_too_many_single_tasks_waits_with_the_cook_and_so_does_what_is_behind_it() -> None:
    (first, second), groups = layers(10, 2)
    groups |= {99: "c"}
    needs = {**{item: [] for item in first}, second[0]: first[:9], second[1]: first, 99: [second[0]]}
    plan = make_plan(needs, groups, dict.fromkeys(needs, 0), 1001, longest=8)
    assert plan.later == [second[0], 99]
    assert [array.needs for array in plan.arrays] == [(), (Need(0),)]


def test_no_array_has_more_gaps_than_slurm_takes_in_words() -> None:
    """Every other item of a large node, where arrays may be large; its followers as well."""
    count, most = 4000, 100_000
    odd = {item: 2 * item for item in range(count)}
    plan = plan_of({item: [] for item in range(count)}, dict.fromkeys(range(count), "a"), most, odd)
    assert [array.tasks for array in plan.arrays] == [tuple(range(count))]
    needs: dict[int, list[int]] = {item: [] for item in range(count)}
    needs |= {count + item: [item] for item in range(0, count, 2)}
    groups = {item: "ab"[item >= count] for item in needs}
    plan = plan_of(needs, groups, most, {item: item % count for item in needs})
    assert all(len(ranges(array.tasks)) <= WIDEST for array in plan.arrays)
    assert {item for array in plan.arrays for item in array.items} | set(plan.later) == needs.keys()
