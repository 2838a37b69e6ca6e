"""Reading a ring part by part while a meter enters more, against a model of the meter that knows the truth."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_model import SHAPES, SIZE, Model

from osgp.errors import MisuseError, TableError
from osgp.tables.logs.reading import Mark, RingReading, marks_of, marks_text
from osgp.tables.logs.ring import Ring


def read(model, since=None, limit=3 * SIZE, between=None):
    """Read as a client does; ``between`` is called before each part."""
    reading = RingReading(model.ring(), since)
    parts = 0
    while (window := reading.wanted(limit)) is not None:
        assert parts < 3 + model.places
        if between is not None:
            between(parts)
        offset, count = window
        assert offset >= 0 and offset + count <= model.ring().size  # noqa: PT018
        reading.take(model.table()[offset : offset + count])
        parts += 1
    return reading


def pairs(reading):
    return [(entry.sequence, entry.raw) for entry in reading.entries]


shapes = st.sampled_from(list(SHAPES))
gaps = st.lists(st.integers(0, 3), max_size=40)


@given(shapes, st.integers(1, 12), gaps, st.integers(1, 5))
def test_a_quiet_ring_is_read_whole(shape, places, entered, at_once):
    model = Model(shape, places)
    for gap in entered:
        model.enter(gap)
    truth = model.truth[::-1][:places]
    assert pairs(read(model, limit=at_once * SIZE)) == truth
    assert [(entry.sequence, entry.raw) for entry in model.ring().entries(model.table())] == truth


@settings(max_examples=400)
@given(
    shapes,
    st.integers(1, 10),
    gaps,
    st.lists(st.lists(st.integers(0, 2), max_size=4), max_size=12),
    st.integers(1, 4),
    st.sampled_from([0, 3, (1 << 16) - 5, (1 << 16) + 65530]),
)
def test_a_reading_at_any_moment_gives_a_suffix_of_the_truth(shape, places, before, during, at_once, first):
    model = Model(shape, places, first % (1 << 16) if shape != "event" else first)
    for gap in before:
        model.enter(gap)
    then = []

    def between(part):
        if part == 1:
            then.extend(model.truth)  # as it was when the first header had been read
        for gap in during[part] if 0 < part < len(during) else ():
            model.enter(gap)

    reading = read(model, limit=at_once * SIZE, between=between)
    found = pairs(reading)
    if reading.upset:
        # More came than the ring has places.
        assert not found
        return
    truth = then or model.truth
    assert found == truth[::-1][: len(found)]
    # What is left away had been overwritten.
    assert all(raw not in model.memory for _, raw in truth[::-1][len(found) : places]) or not before


@settings(max_examples=400)
@given(
    shapes,
    st.integers(1, 10),
    gaps,
    gaps,
    st.lists(st.lists(st.integers(0, 1), max_size=2), max_size=8),
    st.integers(1, 4),
    st.sampled_from([0, 3, (1 << 16) - 5]),
)
def test_readings_one_after_the_other_give_each_entry_once(shape, places, before, later, during, at_once, first):
    model = Model(shape, places, first)
    for gap in before:
        model.enter(gap)
    one = read(model)
    kept = pairs(one)
    for gap in later:
        model.enter(gap)

    def between(part):
        for gap in during[part] if part < len(during) else ():
            model.enter(gap)

    (mark,) = marks_of(marks_text({"BT74": one.mark})).values()
    two = read(model, mark, at_once * SIZE, between)
    if two.upset:
        return
    three = read(model, two.mark)
    assert not two.restarted or not before
    every = pairs(three) + pairs(two) + kept
    assert len(set(every)) == len(every)
    known = set(every)
    # In the order of the truth, and whatever is missing between them is in no place of the ring any more.
    assert [entry for entry in model.truth if entry in known] == every[::-1]
    oldest = model.truth.index(every[-1]) if every else 0
    held = [entry for entry in model.truth[oldest:] if entry[1] in model.memory]
    assert set(held) <= known


@given(st.integers(1, 8), st.integers(1, 30), st.integers(1, 30), st.integers(1, 4))
def test_numbers_that_begin_anew_make_every_entry_new(places, before, after, at_once):
    # Before firmware 3.70 (p. 242).
    model = Model("event", places)
    for _ in range(before):
        model.enter()
    mark = read(model).mark
    model.clear(anew=True)
    model.truth = []
    for _ in range(after):
        model.enter()
        model.memory[model.place] = model.memory[model.place][:2] + b"\xaa\xbb"
    reading = read(model, mark, at_once * SIZE)
    if after == before:
        return  # the same number, which is not looked behind
    assert len(reading.entries) == min(after, places)
    assert reading.restarted or after > before + places - 1


@pytest.mark.parametrize("shape", SHAPES)
def test_a_log_that_was_empty_begins(shape):
    model = Model(shape, 3)
    mark = read(model).mark
    assert mark == Mark(0, None)
    model.enter()
    # The first entry may have the number that the empty log showed.
    assert pairs(read(model, mark)) == [(0, model.truth[0][1])]


def test_a_log_that_was_emptied_gives_nothing_until_it_fills():
    model = Model("event", 3)
    for _ in range(5):
        model.enter()
    mark = read(model).mark
    model.clear()
    emptied = read(model, mark)
    assert emptied.restarted
    assert emptied.mark == Mark(4, None)
    model.enter()
    assert [number for number, _ in pairs(read(model, emptied.mark))] == [5]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_log_that_is_emptied_while_it_is_read_is_read_anew(shape):
    model = Model(shape, 6)
    for _ in range(6):
        model.enter()

    def between(part):
        if part == 2:
            model.clear()
            model.enter()

    reading = read(model, between=between)
    assert reading.upset
    assert reading.entries == []


def test_nothing_new_costs_one_header():
    model = Model("event", 8)
    for _ in range(20):
        model.enter()
    reading = RingReading(model.ring(), read(model).mark)
    assert reading.wanted(100) == (0, 11)
    reading.take(model.table()[:11])
    assert reading.wanted(100) is None
    assert (reading.entries, reading.restarted) == ([], False)


def test_two_new_ones_cost_two_headers_and_three_entries():
    model = Model("short", 8)
    for _ in range(20):
        model.enter()
    mark = read(model).mark
    model.enter()
    model.enter()
    asked = []
    reading = RingReading(model.ring(), mark)
    while (window := reading.wanted(100)) is not None:
        asked.append(window)
        reading.take(model.table()[window[0] : sum(window)])
    assert asked == [(0, 6), (6 + 3 * SIZE, 3 * SIZE), (0, 6)]
    assert [number for number, _ in pairs(reading)] == [21, 20]


@pytest.mark.parametrize(
    "text", ["x", "BT74", "BT74:1", "BT74:x:", "BT74:-1:", "BT74:1:zz", "BT74:1:-1", "a:1:," * 300]
)
def test_marks_that_nobody_wrote_are_refused(text):
    with pytest.raises(MisuseError, match="does not tell how far"):
        marks_of(text)


def test_marks_are_short_text():
    marks = {"BT74": Mark(65539, 0x0A), "ET79": Mark(0, None)}
    assert marks_text(marks) == "BT74:65539:0000000a,ET79:0:"
    assert marks_of(marks_text(marks)) == marks
    assert marks_of("") == {}


@pytest.mark.parametrize(
    ("shape", "places", "size"),
    [("short", 256, 4), ("event", 4097, 14), ("short", 255, 2000), ("short", 1, 0), ("event", -1, 4)],
)
def test_rings_that_no_meter_has_are_refused(shape, places, size):
    with pytest.raises(TableError, match="which no meter has"):
        Ring("ET81", SHAPES[shape], places, size)


@given(
    shapes,
    st.integers(0, 5),
    st.binary(max_size=60),
    st.integers(1, 30),
    st.none() | st.builds(Mark, st.integers(0, 70000), st.integers(0, 3)),
)
def test_whatever_is_read_ends(shape, places, data, limit, since):
    ring = Ring("BT74", SHAPES[shape], places, SIZE, number_at=0 if shape == "event" else None)
    reading = RingReading(ring, since)
    for _ in range(places + 3):
        window = reading.wanted(limit)
        if window is None:
            break
        try:
            reading.take(data[window[0] : sum(window)].ljust(window[1], b"\x01"))
        except TableError:
            return
    else:
        pytest.fail("the reading goes on and on")
    assert len(reading.entries) <= places
