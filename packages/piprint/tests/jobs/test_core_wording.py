"""What people read: a next step is told once, and only one that helps."""

from __future__ import annotations

import pytest

from piprint.jobs import wording
from piprint.printers.printer import JobStatus, SpoolerState


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("the printer is off", "Not printed. The printer is off. Mend it, then restart the job."),
        ("the PDF is damaged; print it again", "Not printed. The PDF is damaged; print it again."),
        ("the disk was full; restart the job", "Not printed. The disk was full; restart the job."),
    ],
)
def test_what_to_do_is_told_once(reason, told):
    assert wording.not_printed(reason) == told


@pytest.mark.parametrize(("sides", "told"), [(None, ""), (1, ", 1 page"), (2, ", 2 pages")])
def test_printed_sides_are_called_pages_as_two_of_them_may_share_a_sheet(sides, told):
    status = JobStatus(id=7, uuid="", name="", state=SpoolerState.COMPLETED, sheets=sides)
    assert wording.printed("Office", status, 1.2) == f"Printed at Office: job 7{told}, 1 s."
