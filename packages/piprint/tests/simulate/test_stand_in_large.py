"""Large and many documents are sent as a stream: the stand-in's own memory stays small, and a list is not quadratic."""

import base64
import hashlib
import time
import tracemalloc

import pytest

MB = 1 << 20


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.pdf"
    path.write_bytes(b"%PDF-1.4\n" + bytes(range(256)) * (24 * MB // 256) + b"!")
    return path


async def digest(ask, url, *, raw=False):
    """Return the hash and size of a document as it comes, without keeping it."""
    size, digest, rest = 0, hashlib.sha256(), b""
    async with ask.session.get(url, headers=ask.headers) as response:
        async for chunk in response.content.iter_chunked(1 << 16):
            part = chunk
            if not raw:
                inside = chunk.partition(b'"PDFPrintJobBASE64":"')[2] or (chunk if size else b"")
                text = rest + inside.partition(b'"')[0]
                rest = text[len(text) // 4 * 4 :]
                part = base64.b64decode(text[: len(text) // 4 * 4])
            size += len(part)
            digest.update(part)
    return size, digest.hexdigest()


async def test_a_large_document_passes_without_being_held(ask, large):
    job = ask.print(document=large)
    wanted = (large.stat().st_size, hashlib.sha256(large.read_bytes()).hexdigest())
    assert (job.document.size, job.document.sha256) == wanted
    tracemalloc.start()
    got = [
        await digest(ask, ask.bc.url + "PIPrintQueueWS(1)"),
        await digest(ask, f"{ask.api}printJobs({job.id})/document", raw=True),
    ]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert got == [wanted, wanted]
    assert peak < 4 * MB


async def test_bytes_beyond_a_megabyte_go_to_a_file_once(ask):
    document = b"%PDF" + bytes(2 * MB)
    for _ in range(5):
        ask.print(document=document)
    files = [path for path in ask.bc.people._folder.iterdir() if path.suffix == ".pdf"]
    assert [path.stat().st_size for path in files] == [len(document)]
    assert len((await ask("GET", f"{ask.api}printJobs({ask.job().id})/document")).body) == len(document)


async def test_five_hundred_jobs(ask):
    for number in range(500):
        ask.print(document=b"%PDF-1.4 " + bytes([number % 256]) * 2000)
    started = time.process_time()
    reply = await ask("GET", "PIPrintQueueWS", select="RowNo", filter="HostID eq 'pi' and Status eq 'Queued'")
    listed = time.process_time() - started
    assert len(reply.json["value"]) == 500
    whole = (await ask("GET", "PIPrintQueueWS")).json["value"]
    assert base64.b64decode(whole[-1]["PDFPrintJobBASE64"]) == b"%PDF-1.4 " + bytes([499 % 256]) * 2000
    assert listed < 1
