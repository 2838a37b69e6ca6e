"""Memory that is short for a moment, in the middle of a document: it arrives whole, or nothing of it does."""

import asyncio

import pytest

from nesmodule.outputs import page, pieces

DOCUMENT = [bytes([65 + place % 26]) * (place % 90 + 1) for place in range(40)]


class Writer:
    """What MicroPython's stream is for these modules."""

    def __init__(self):
        self.got, self.out_buf = b"", b""

    def write(self, data):
        self.got += bytes(data)

    def close(self):
        pass

    async def wait_closed(self):
        pass


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    async def sleep_ms(_):
        pass

    async def wait_for_ms(awaited, _):
        return await awaited

    monkeypatch.setattr(pieces, "sleep_ms", sleep_ms)
    monkeypatch.setattr(page, "wait_for_ms", wait_for_ms)


def failing(times, place):
    """Return pieces that run out of memory at a place, so many times."""
    left = [times]

    def made():
        for number, piece in enumerate(DOCUMENT):
            if number == place and left[0]:
                left[0] -= 1
                raise MemoryError
            yield piece

    return made


@pytest.mark.parametrize("place", range(0, 40, 3))
def test_a_document_is_whole_where_memory_was_short_in_its_middle(place):
    writer = Writer()
    asyncio.run(pieces.send(writer, failing(3, place), 5000))
    assert writer.got == b"".join(DOCUMENT)


def test_who_never_gets_memory_is_told_whether_something_was_sent():
    with pytest.raises(MemoryError):
        asyncio.run(pieces.send(Writer(), failing(1000, 0), 5000))
    writer = Writer()
    with pytest.raises(OSError, match="no memory"):
        asyncio.run(pieces.send(writer, failing(1000, 30), 5000))
    assert b"".join(DOCUMENT).startswith(writer.got)


def test_a_page_without_memory_says_so_instead_of_ending_in_its_middle():
    class Page(page.Page):
        async def respond(self, reader, writer):
            await page.answer(writer, b"200 OK", b"text/plain", failing(1000, 0))

    writer = Writer()
    asyncio.run(Page(None, None).serve(None, writer))
    assert writer.got.startswith(b"HTTP/1.0 503 ")
    assert writer.got.endswith(b"Try again.")
