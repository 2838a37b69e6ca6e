# ruff: noqa: FBT001 - parameters of tests
"""Documents: what is good, what is not and why, and that none of them can hurt."""

from __future__ import annotations

import asyncio
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from piprint.documents.inspect import DocumentFacts, Inspector, is_zpl, looks_like
from piprint.documents.process import MEMORY
from piprint.errors import DocumentError

Pdf = Callable[..., bytes]
Saved = Callable[[bytes], Path]
LIMIT = 10_000_000
READY = "import os,sys,time;out=sys.stdout.buffer;out.write(b'\\0\\0\\0\\2{}');out.flush();"


async def reason(inspector: Inspector, path: Path, limit: int = LIMIT) -> str:
    with pytest.raises(DocumentError) as caught:
        await inspector.check(path, limit_bytes=limit)
    return str(caught.value)


@pytest.mark.parametrize(
    ("sizes", "size"),
    [
        ([(210, 297)], (21000, 29700)),
        ([(297, 210), (210, 297)], (29700, 21000)),
        ([(101.6, 152.4)] * 7, (10160, 15240)),
    ],
)
async def test_good_documents(
    inspector: Inspector,
    saved: Saved,
    reportlab_pdf: Pdf,
    sizes: list[tuple[float, float]],
    size: tuple[int, int],
) -> None:
    content = reportlab_pdf(sizes)
    facts = await inspector.check(saved(content), limit_bytes=LIMIT)
    every = tuple((round(width * 100), round(height * 100)) for width, height in dict.fromkeys(sizes))
    assert facts == DocumentFacts(len(content), len(sizes), size, every)


async def test_a_turned_page_has_the_size_it_is_seen_in(inspector: Inspector, saved: Saved, bare_pdf: Pdf) -> None:
    turned = bare_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 144]/Rotate 90>>",
    )
    assert (await inspector.check(saved(turned), limit_bytes=LIMIT)).size == (5080, 2540)


@pytest.mark.parametrize("prefix", [b"", b"\r\n", b"HTTP leftovers\n" * 10])
async def test_what_stands_before_the_header_does_not_matter(
    inspector: Inspector, saved: Saved, reportlab_pdf: Pdf, prefix: bytes
) -> None:
    assert (await inspector.check(saved(prefix + reportlab_pdf()), limit_bytes=LIMIT)).pages == 1


async def test_a_damaged_table_of_objects_is_mended(inspector: Inspector, saved: Saved, reportlab_pdf: Pdf) -> None:
    content = reportlab_pdf([(210, 297)] * 3)
    for broken in (content.replace(b"startxref", b"stratxref"), content[: content.rindex(b"trailer")]):
        path = saved(broken)
        try:
            facts = await inspector.check(path, limit_bytes=LIMIT)
        except DocumentError as error:
            assert "damaged" in str(error)  # noqa: PT017 - pdfium may mend more one day, and must not do less
        else:
            assert facts.pages == 3
    assert (await inspector.check(saved(content.replace(b"startxref", b"stratxref")), limit_bytes=LIMIT)).pages == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the document is empty"),
        (b"\0" * 5000, "nothing but zeros"),
        (b"<!DOCTYPE html><title>502 Bad Gateway", "a web page (HTML)"),
        (b"\xef\xbb\xbf <HTML>", "a web page (HTML)"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"%!PS-Adobe-3.0\n", "PostScript"),
        (b"^XA^FO10,10^XZ", "ZPL"),
        (b"PK\x03\x04", "ZIP"),
        (b'{"error":{}}', "JSON"),
        (b"JVBERi0xLjQK", "base64"),
        (b"Dear customer,\r\n", "plain text"),
        (b"\x01\x02\x03", "of an unknown kind"),
        (b"%PDF-1.7\nthat is all", "damaged"),
    ],
)
async def test_what_is_no_pdf_is_called_by_its_name(
    inspector: Inspector, saved: Saved, content: bytes, words: str
) -> None:
    assert words in await reason(inspector, saved(content))


async def test_a_pdf_that_breaks_off(inspector: Inspector, saved: Saved, reportlab_pdf: Pdf) -> None:
    content = reportlab_pdf()
    assert "damaged" in await reason(inspector, saved(content[: len(content) // 2]))


async def test_a_password(inspector: Inspector, saved: Saved, reportlab_pdf: Pdf) -> None:
    assert "asks for a password" in await reason(inspector, saved(reportlab_pdf(password="s3cret")))


@pytest.mark.parametrize("may_print", [True, False])
@pytest.mark.parametrize("strength", [40, 128])
async def test_p1_a_lock_that_forbids_printing_is_seen(
    inspector: Inspector, tmp_path: Path, may_print: bool, strength: int
) -> None:
    path = tmp_path / "locked.pdf"
    lock = StandardEncryption("", ownerPassword="owner", canPrint=int(may_print), strength=strength)
    canvas = Canvas(str(path), encrypt=lock)
    canvas.drawString(10, 10, "locked")
    canvas.showPage()
    canvas.save()
    assert (await inspector.check(path, limit_bytes=LIMIT)).forbidden is not may_print


async def test_too_large_a_document_is_not_even_opened(saved: Saved, reportlab_pdf: Pdf) -> None:
    inspector = Inspector(program=("/nonexistent",))
    assert "does not start" in await reason(inspector, saved(reportlab_pdf()))
    text = await reason(inspector, saved(reportlab_pdf()), limit=100)
    assert "more than the 0.0001 MB allowed here" in text


async def test_a_document_that_is_gone(inspector: Inspector, tmp_path: Path) -> None:
    assert "cannot be read from disk: No such file" in await reason(inspector, tmp_path / "gone.pdf")


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ((b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"), "no pages"),
        ((b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 9>>"), "damaged"),
        ((b"<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]>>",), "damaged|no pages"),
        (
            (
                b"<</Type/Catalog/Pages 2 0 R>>",
                *(b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (number + 3) for number in range(6_000)),
                b"<</Type/Page/MediaBox[0 0 9 9]>>",
            ),
            "damaged",
        ),
    ],
)
async def test_hostile_page_trees(
    inspector: Inspector, saved: Saved, bare_pdf: Pdf, objects: tuple[bytes, ...], words: str
) -> None:
    text = await reason(inspector, saved(bare_pdf(*objects)))
    assert any(word in text for word in words.split("|"))


async def test_a_giant_page_tree_is_counted_in_time(inspector: Inspector, saved: Saved, bare_pdf: Pdf) -> None:
    count = 200_000
    giant = bare_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (b"3 0 R " * count, count),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>",
    )
    assert (await inspector.check(saved(giant), limit_bytes=LIMIT)).pages == count


async def test_labels_pass_where_the_printer_takes_them(inspector: Inspector, saved: Saved) -> None:
    label = saved(b"\r\n^XA^FDxy^FS^XZ\n")
    assert await inspector.check(label, limit_bytes=LIMIT, language="zpl") == DocumentFacts(17)
    assert await inspector.check(label, limit_bytes=LIMIT, language="raw") == DocumentFacts(17)
    assert "ZPL" in await reason(inspector, label)


async def test_raw_data_must_not_be_empty(inspector: Inspector, saved: Saved) -> None:
    assert await inspector.check(saved(b"\x02"), limit_bytes=LIMIT, language="raw") == DocumentFacts(1)
    with pytest.raises(DocumentError, match="empty"):
        await inspector.check(saved(b""), limit_bytes=LIMIT, language="raw")


@pytest.mark.parametrize(
    ("head", "zpl"), [(b"^XA", True), (b" \r\n^xa", True), (b"~HS", True), (b"%PDF", False), (b"~~", False)]
)
def test_zpl_is_known_by_its_first_command(head: bytes, *, zpl: bool) -> None:
    assert is_zpl(head) is zpl


def test_anything_looks_like_something() -> None:
    assert all(looks_like(bytes([first, second])) for first in range(256) for second in (0, 65, 255))


# ---- The process -----------------------------------------------------------------------------------------------------


async def test_documents_are_looked_at_in_one_process_with_limits(
    inspector: Inspector, saved: Saved, reportlab_pdf: Pdf
) -> None:
    path = saved(reportlab_pdf())
    await asyncio.gather(*(inspector.check(path, limit_bytes=LIMIT) for _ in range(5)))
    process = only_child()
    assert process.rlimit(psutil.RLIMIT_AS) == (MEMORY, MEMORY)
    assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert process.memory_info().rss < 60_000_000
    await inspector.check(path, limit_bytes=LIMIT)
    assert only_child() == process


def helpers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if sys.executable in child.cmdline()]


def only_child() -> psutil.Process:
    (child,) = helpers()
    return child


async def test_no_secret_reaches_the_process(
    inspector: Inspector, saved: Saved, reportlab_pdf: Pdf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BC_CLIENT_SECRET", "s3cret")
    await inspector.check(saved(reportlab_pdf()), limit_bytes=LIMIT)
    assert "BC_CLIENT_SECRET" not in only_child().environ()


async def test_a_killed_process_is_replaced(inspector: Inspector, saved: Saved, reportlab_pdf: Pdf) -> None:
    path = saved(reportlab_pdf())
    await inspector.check(path, limit_bytes=LIMIT)
    only_child().kill()
    assert (await inspector.check(path, limit_bytes=LIMIT)).pages == 1


async def test_the_process_ends_when_idle(saved: Saved, reportlab_pdf: Pdf) -> None:
    inspector = Inspector(idle=0)
    path = saved(reportlab_pdf())
    await inspector.check(path, limit_bytes=LIMIT)
    process = only_child()
    await asyncio.to_thread(process.wait, 10)
    assert (await inspector.check(path, limit_bytes=LIMIT)).pages == 1
    await inspector.close()
    assert helpers() == []


async def test_it_ends_with_its_parent(saved: Saved, reportlab_pdf: Pdf) -> None:
    """The parent is killed: nobody tells the process, its input just ends."""
    script = (
        "import asyncio, os, signal, sys; from pathlib import Path; from piprint.documents.inspect import Inspector\n"
        "async def main():\n"
        "    inspector = Inspector(); await inspector.check(Path(sys.argv[1]), limit_bytes=10**9)\n"
        "    print(inspector._process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(saved(reportlab_pdf())), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await parent.communicate()
    try:
        helper = psutil.Process(int(out))
    except psutil.NoSuchProcess:
        return
    await asyncio.to_thread(psutil.wait_procs, [helper], 10)
    assert not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE


async def test_a_crash_is_the_documents_fault_and_the_next_one_is_looked_at(
    saved: Saved, reportlab_pdf: Pdf, tmp_path: Path
) -> None:
    """A stand-in that dies over every document, as pdfium would over a hostile one."""
    log = tmp_path / "starts"
    crash = f"{READY}open({str(log)!r},'a').write('x');sys.stdin.buffer.read(4);os._exit(139)"
    inspector = Inspector(program=(sys.executable, "-c", crash))
    path = saved(reportlab_pdf())
    assert "reading it fails" in await reason(inspector, path)
    assert log.read_text() == "xx"  # tried once more in a fresh process, and then not again
    assert "reading it fails" in await reason(inspector, path)
    await inspector.close()


async def test_a_hang_is_ended(saved: Saved, reportlab_pdf: Pdf) -> None:
    inspector = Inspector(timeout=0.5, program=(sys.executable, "-c", f"{READY}time.sleep(60)"))
    assert "could not be read within 0.5 seconds" in await reason(inspector, saved(reportlab_pdf()))
    assert helpers() == []
    await inspector.close()


@pytest.mark.parametrize(
    "program", ["raise SystemExit(1)", f"{READY}out.write(b'\\0\\0\\0\\1x');out.flush();time.sleep(60)"]
)
async def test_a_process_that_talks_nonsense_or_does_not_start(saved: Saved, reportlab_pdf: Pdf, program: str) -> None:
    inspector = Inspector(program=(sys.executable, "-c", program))
    text = await reason(inspector, saved(reportlab_pdf()))
    assert "does not start" in text or "reading it fails" in text
    await inspector.close()


async def test_who_gives_up_waiting_leaves_no_half_answer(
    inspector: Inspector, saved: Saved, reportlab_pdf: Pdf
) -> None:
    path = saved(reportlab_pdf([(210, 297)] * 2))
    for moment in range(6):
        task = asyncio.ensure_future(inspector.draw(path, 0, dpi=300))
        for _ in range(moment * 3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await inspector.check(path, limit_bytes=LIMIT)).pages == 2


# ---- Drawing ---------------------------------------------------------------------------------------------------------


async def test_a_drawn_page_has_its_size_and_its_marks_in_place(
    inspector: Inspector, saved: Saved, bare_pdf: Pdf
) -> None:
    marks = b"0 0 18 9 re f 63 63 9 9 re f"  # bottom left, twice as wide as high; top right
    page = bare_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(marks), marks),
    )
    bitmap = await inspector.draw(saved(page), 0, dpi=100)
    assert (bitmap.width, bitmap.height, bitmap.row_bytes) == (100, 100, 13)
    rows = [int.from_bytes(bitmap.rows[top : top + 13]) >> 4 for top in range(0, 1300, 13)]
    assert rows[5] == (1 << 12) - 1 or rows[5] == (1 << 13) - 1  # 12.5 dots at the right end of the first rows
    assert rows[50] == 0
    assert rows[95].bit_count() == 25
    assert rows[95] >> 75 == (1 << 25) - 1
    assert all(row < 1 << 100 for row in rows)


async def test_a_page_that_is_not_there(inspector: Inspector, saved: Saved, reportlab_pdf: Pdf) -> None:
    with pytest.raises(DocumentError, match="a page of the PDF is damaged"):
        await inspector.draw(saved(reportlab_pdf()), 1, dpi=203)


async def test_a_page_as_large_as_a_house(inspector: Inspector, saved: Saved, reportlab_pdf: Pdf) -> None:
    with pytest.raises(DocumentError, match="too large for this printer's resolution"):
        await inspector.draw(saved(reportlab_pdf([(5000, 5000)])), 0, dpi=600)


async def test_a_bomb_of_zeros_goes_off_in_the_process_alone(inspector: Inspector, saved: Saved, bare_pdf: Pdf) -> None:
    bomb = zlib.compressobj(1)
    packed = b"".join(bomb.compress(b" " * (1 << 20)) for _ in range(MEMORY >> 20)) + bomb.flush()  # half a GB in 2 MB
    page = bare_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
    )
    before = psutil.Process(os.getpid()).memory_info().rss
    try:
        await inspector.draw(saved(page), 0, dpi=100)
    except DocumentError as error:
        assert "reading it fails" in str(error) or "damaged" in str(error)  # noqa: PT017 - pdfium may stop it itself
    assert psutil.Process(os.getpid()).memory_info().rss - before < 50_000_000
    assert (await inspector.check(saved(page), limit_bytes=LIMIT)).pages == 1
