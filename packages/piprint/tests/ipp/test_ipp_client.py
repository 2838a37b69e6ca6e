"""What an IPP client meets: refusals, silence, noise, TLS, large documents; against a printer that a test scripts."""

import asyncio
import contextlib
import errno
import socket
import ssl
import tracemalloc

import pytest
from aiohttp import web

from piprint.errors import DocumentError, PrinterBusy, PrinterError, PrinterRefused, PrinterUnreachable, reason_of
from piprint.ipp import client as client_module
from piprint.ipp.client import IppClient, http_url, printer_uri
from piprint.ipp.codec import attribute
from piprint.ipp.registry import WAITING, Delimiter, Operation, Status, Tag
from piprint.ipp.requester import requester


@pytest.fixture
async def open_client():
    opened = []

    def open_client(uri, **options):
        opened.append(IppClient(uri, **{"timeout": 5, "stall": 5, **options}))
        return opened[-1]

    yield open_client
    for client in opened:
        await client.close()


def _server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize(
    ("uri", "url", "told"),
    [
        ("ipp://printer/ipp/print", "http://printer:631/ipp/print", "ipp://printer/ipp/print"),
        ("ipps://printer:8443/ipp", "https://printer:8443/ipp", "ipps://printer:8443/ipp"),
        ("http://localhost:631/", "http://localhost:631/", "ipp://localhost/"),
        ("http://localhost", "http://localhost:631/", "ipp://localhost/"),
        ("ipp://[fe80::1]:8631/a%20b", "http://[fe80::1]:8631/a%20b", "ipp://[fe80::1]:8631/a%20b"),
        (
            "ipp://p/printers/a b<c>'æ",
            "http://p:631/printers/a%20b%3Cc%3E%27%C3%A6",
            "ipp://p/printers/a%20b%3Cc%3E%27%C3%A6",
        ),
        ("ipp://p/printers/a;b$(c)&d", "http://p:631/printers/a;b$(c)&d", "ipp://p/printers/a;b$(c)&d"),
    ],
)
def test_addresses(uri, url, told):
    assert str(http_url(uri)) == url
    assert printer_uri(uri) == told


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "printer",
        "ipp:///ipp/print",
        "socket://printer:9100",
        "ipp://h:port/",
        "ipp://[::1/",
        "ipp://h:99999/",
        "ipp://printer..example/",
        f"ipp://{'p' * 64}.example/",
    ],
)
def test_what_is_no_address_is_told(uri):
    with pytest.raises(PrinterUnreachable, match="is no printer's address"):
        http_url(uri)


async def test_a_request_begins_as_the_standard_wants_and_names_us(scripted, open_client):
    await open_client(scripted.uri).ask(Operation.GET_JOB_ATTRIBUTES, [attribute("x", Tag.NAME, "y")], job_id=7)
    ((message, document),) = scripted.asked
    operation = message.first(Delimiter.OPERATION)
    assert [each.name for each in operation.attributes] == [
        "attributes-charset",
        "attributes-natural-language",
        "printer-uri",
        "job-id",
        "requesting-user-name",
        "x",
    ]
    assert operation.text("requesting-user-name") == requester("127.0.0.1")
    assert operation.text("printer-uri") == scripted.uri
    assert (message.version, document) == ((2, 0), b"")


@pytest.mark.parametrize("status", [status for status in Status if status >= 0x0400], ids=lambda status: status.name)
async def test_every_refusal_has_a_class_a_name_and_advice(scripted, open_client, status):
    scripted.answers[Operation.CREATE_JOB] = status
    with pytest.raises(PrinterError, match=rf"refused Create-Job, .*\(0x{status:04x}\); \w") as refusal:
        await open_client(scripted.uri).ask(Operation.CREATE_JOB)
    if status in WAITING:
        assert type(refusal.value) is PrinterBusy
    else:
        assert type(refusal.value) is PrinterRefused
        assert refusal.value.status == status


@pytest.mark.parametrize("status", [Status.OK, Status.OK_IGNORED_OR_SUBSTITUTED, Status.OK_CONFLICTING, 0x0007])
async def test_all_successful_statuses_are(scripted, open_client, status):
    scripted.answers[Operation.CREATE_JOB] = status
    assert (await open_client(scripted.uri).ask(Operation.CREATE_JOB)).code == status


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (web.Response(status=401), PrinterRefused, "password"),
        (web.Response(status=403), PrinterRefused, "lpadmin -u allow"),
        (web.Response(status=404), PrinterRefused, "no such job or queue"),
        (web.Response(status=413), PrinterRefused, "too large"),
        (web.Response(status=426), PrinterRefused, "ipps://"),
        (web.Response(status=503), PrinterBusy, "the job waits"),
        (web.Response(status=500), PrinterUnreachable, "HTTP status 500"),
        (web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), PrinterUnreachable, "HTTP status 302"),
        (web.Response(text="<html>It works!</html>"), PrinterUnreachable, "not as a printer does"),
        (web.Response(body=b""), PrinterUnreachable, "not as a printer does"),
        (web.Response(body=bytes(client_module.MOST_ANSWER + 1)), PrinterUnreachable, "more than"),
    ],
)
async def test_answers_that_are_not_ipp(scripted, open_client, answer, error, words):
    scripted.answers[Operation.CREATE_JOB] = answer
    with pytest.raises(error, match=words):
        await open_client(scripted.uri).ask(Operation.CREATE_JOB)


async def test_a_printer_that_is_off_is_unreachable(scripted, open_client, unused_tcp_port):
    with pytest.raises(PrinterUnreachable, match=rf"127\.0\.0\.1:{unused_tcp_port} cannot be reached.*switched on"):
        await open_client(f"ipp://127.0.0.1:{unused_tcp_port}/").ask(Operation.GET_JOBS)
    with pytest.raises(PrinterUnreachable, match=rf":{unused_tcp_port} cannot be reached \(Connection refused\); is"):
        await open_client(f"ipp://localhost:{unused_tcp_port}/").ask(Operation.GET_JOBS)
    with pytest.raises(PrinterUnreachable, match=r"no\.such\.host\.invalid:631 cannot be reached"):
        await open_client("ipp://no.such.host.invalid/").ask(Operation.GET_JOBS)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 631)"), "Connection refused"),
        (OSError(errno.ECONNREFUSED, "Multiple exceptions: [Errno 111] Connect call failed"), "Connection refused"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed"), "none of its addresses answers"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (OSError("no words of the system's"), "no words of the system's"),
    ],
)
def test_why_there_is_no_connection_is_told_in_words_for_people(error, words):
    assert reason_of(error) == words


async def test_a_printer_that_says_nothing_is_waited_for_only_so_long(scripted, open_client, document):
    async def silence(_):
        await asyncio.sleep(60)

    scripted.answers[Operation.GET_JOBS] = scripted.answers[Operation.SEND_DOCUMENT] = silence
    client = open_client(scripted.uri, timeout=0.05, stall=0.05)
    with pytest.raises(PrinterUnreachable, match="does not answer"):
        await client.ask(Operation.GET_JOBS)
    with pytest.raises(PrinterUnreachable, match="does not answer"):
        await client.ask(Operation.SEND_DOCUMENT, document=document)


async def test_a_printer_whose_answer_drips_is_not_listened_to_for_ever(open_client, document):
    async def drip(reader, writer):
        await reader.read(10_000)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"\2")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        client = open_client(f"ipp://127.0.0.1:{server.sockets[0].getsockname()[1]}/", timeout=0.2, stall=0.2)
        async with asyncio.timeout(60):
            with pytest.raises(PrinterUnreachable, match="does not answer"):
                await client.ask(Operation.SEND_DOCUMENT, document=document)
            with pytest.raises(PrinterUnreachable, match="does not answer"):
                await client.ask(Operation.GET_JOBS)
        await client.close()
        await asyncio.sleep(0.1)


async def test_questions_are_asked_again_when_the_connection_breaks_but_jobs_are_not_made_twice(open_client):
    connections = 0

    async def hang_up(_, writer):
        nonlocal connections
        connections += 1
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        client = open_client(f"ipp://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        with pytest.raises(PrinterUnreachable, match="broke"):
            await client.ask(Operation.GET_JOBS)
        assert connections == 2
        with pytest.raises(PrinterUnreachable, match="broke"):
            await client.ask(Operation.CREATE_JOB)
        assert connections == 3


async def test_a_document_is_sent_whole_after_the_request(scripted, open_client, tmp_path):
    path = tmp_path / "large.pdf"
    path.write_bytes(bytes(range(256)) * 2000)
    await open_client(scripted.uri).ask(Operation.SEND_DOCUMENT, document=path)
    ((_, received),) = scripted.asked
    assert received == path.read_bytes()


async def test_a_printer_that_refuses_before_it_has_read_the_document_is_heard(open_client, tmp_path):
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.truncate(30_000_000)
    heard = asyncio.Event()

    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n\2\0\5\7\0\0\0\1\3")
        await heard.wait()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        client = open_client(f"ipp://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        with pytest.raises(PrinterBusy):
            await client.ask(Operation.PRINT_JOB, document=path)
        heard.set()
        await client.close()
        await asyncio.sleep(0)


async def test_a_document_that_is_gone_is_told(scripted, open_client, tmp_path):
    with pytest.raises(DocumentError, match=r"gone\.pdf cannot be read"):
        await open_client(scripted.uri).ask(Operation.SEND_DOCUMENT, document=tmp_path / "gone.pdf")
    assert scripted.asked == []


async def test_a_large_document_needs_no_memory(open_client, tmp_path):
    received = 0

    async def swallow(reader, writer):
        nonlocal received
        while received < size and (piece := await reader.read(65536)):
            received += len(piece)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n\2\0\0\0\0\0\0\1\3")
        writer.close()

    size = 30_000_000
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.truncate(size)
    async with await asyncio.start_server(swallow, "127.0.0.1", 0) as server:
        client = open_client(f"ipp://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        tracemalloc.start()
        try:
            await client.ask(Operation.SEND_DOCUMENT, document=path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert received > size
    assert peak < 2_000_000


async def test_a_document_may_take_longer_than_an_answer_as_long_as_it_moves(open_client, tmp_path):
    """A printer takes in what it has room for; only when nothing moves for ``stall`` it is given up."""
    size = 20_000_000
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.truncate(size)
    given_up, closed = asyncio.Event(), asyncio.Event()

    async def slowly(reader, writer):
        received = 0
        while received < size:
            if received > size // 2 and stall_now:
                await given_up.wait()
                break
            received += len(await reader.read(2**18))
            await asyncio.sleep(0.01)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n\2\0\0\0\0\0\0\1\3")
        writer.close()
        closed.set()

    stall_now = False
    async with await asyncio.start_server(slowly, "127.0.0.1", 0, limit=2**16) as server:
        uri = f"ipp://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await open_client(uri, timeout=0.1, stall=0.5).ask(Operation.SEND_DOCUMENT, document=path)
        stall_now = True
        with pytest.raises(PrinterUnreachable, match="does not answer"):
            await open_client(uri, timeout=0.1, stall=0.5).ask(Operation.SEND_DOCUMENT, document=path)
        closed.clear()
        given_up.set()
        await closed.wait()


async def test_only_a_printer_with_the_right_certificate_is_spoken_to(scripted, open_client, make_certificate):
    right, other, named = (make_certificate(name) for name in ("127.0.0.1", "127.0.0.1", "printer.example"))
    expired = make_certificate("127.0.0.1", days=-1)
    async with type(scripted)().listening(_server_context(right)) as safe:
        assert await open_client(safe.uri, ca_file=right).ask(Operation.GET_JOBS)
        with pytest.raises(PrinterUnreachable, match=r"is not trusted.*ca_file"):
            await open_client(safe.uri, ca_file=other).ask(Operation.GET_JOBS)
        with pytest.raises(PrinterUnreachable, match=r"is not trusted.*openssl s_client"):
            await open_client(safe.uri).ask(Operation.GET_JOBS)
    async with type(scripted)().listening(_server_context(named)) as safe:
        with pytest.raises(PrinterUnreachable, match=r"IP address mismatch.*the name in the certificate"):
            await open_client(safe.uri, ca_file=named).ask(Operation.GET_JOBS)
    async with type(scripted)().listening(_server_context(expired)) as safe:
        with pytest.raises(PrinterUnreachable, match="expired"):
            await open_client(safe.uri, ca_file=expired).ask(Operation.GET_JOBS)


async def test_tls_with_a_printer_that_has_none_is_told(scripted, open_client):
    with pytest.raises(PrinterUnreachable, match="try ipp:// instead"):
        await open_client(scripted.uri.replace("ipp:", "ipps:")).ask(Operation.GET_JOBS)


@pytest.mark.parametrize("text", [None, "no certificate"])
async def test_a_certificate_file_that_cannot_be_used_is_named(open_client, tmp_path, text):
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(PrinterError, match=r"ca_file .*ca\.pem cannot be used"):
        await open_client("ipps://127.0.0.1:1/", ca_file=path).ask(Operation.GET_JOBS)
