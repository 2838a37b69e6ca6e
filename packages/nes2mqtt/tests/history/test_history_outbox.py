from __future__ import annotations

from nes2mqtt.history.outbox import WINDOW, Outbox


class Journal:
    """Says what an outbox asked for and delivered."""

    def __init__(self):
        self.asked = []
        self.delivered = []

    def outbox(self, position, last):
        return Outbox("mqtt", position, last, self.asked.append, self.delivered.append)


def numbered(first, last):
    return [(seq, f"sample {seq}") for seq in range(first, last + 1)]


async def test_what_the_journal_cannot_give_now_is_not_passed_over():
    journal = Journal()
    outbox = journal.outbox(0, 10)
    outbox.refill(None, 10)
    assert outbox.pending(5) == []
    outbox.add(numbered(11, 11))
    assert journal.asked == [0, 0]
    outbox.refill(numbered(1, 11), 11)
    assert outbox.pending(2) == numbered(1, 2)
    assert outbox.waiting() == 11


async def test_numbers_that_were_thinned_out_do_not_hold_up_the_rest():
    journal = Journal()
    outbox = journal.outbox(0, 10)
    outbox.refill([], 10)
    outbox.add(numbered(11, 12))
    assert outbox.pending(5) == numbered(11, 12)


async def test_more_than_the_window_is_fetched_as_it_goes():
    journal = Journal()
    outbox = journal.outbox(0, 0)
    outbox.add(numbered(1, WINDOW))
    outbox.add(numbered(WINDOW + 1, WINDOW + 5))
    assert journal.asked == []
    outbox.acknowledge(WINDOW - 10)
    assert journal.asked == [WINDOW]
    outbox.refill(numbered(WINDOW + 1, WINDOW + 5), WINDOW + 5)
    assert outbox.pending(100) == numbered(WINDOW - 9, WINDOW + 5)
    assert journal.delivered == [WINDOW - 10]


async def test_numbers_that_jumped_after_a_power_cut_do_not_count_as_waiting():
    journal = Journal()
    outbox = journal.outbox(100, 1_000_000)
    outbox.refill([], 1_000_000)
    assert outbox.waiting() == 0
    outbox.add(numbered(1_000_001, 1_000_003))
    assert outbox.waiting() == 3
    outbox.acknowledge(1_000_002)
    assert outbox.waiting() == 1


async def test_r16_many_meters_widen_the_window():
    journal = Journal()
    outbox = journal.outbox(0, 0)
    outbox.window = 4 * WINDOW
    outbox.add(numbered(1, 3 * WINDOW))
    assert journal.asked == []
    assert len(outbox.pending(10_000)) == 3 * WINDOW


async def test_an_old_acknowledgement_changes_nothing():
    journal = Journal()
    outbox = journal.outbox(0, 0)
    outbox.add(numbered(1, 3))
    outbox.acknowledge(2)
    outbox.acknowledge(1)
    assert outbox.pending(5) == numbered(3, 3)
    assert journal.delivered == [2]


async def test_after_a_renumbering_it_begins_again():
    journal = Journal()
    outbox = journal.outbox(0, 0)
    outbox.add(numbered(1, 3))
    outbox.reset(40, 45)
    assert outbox.pending(5) == []
    assert journal.asked == [40]
    outbox.refill(numbered(41, 45), 45)
    assert outbox.pending(1) == numbered(41, 41)
