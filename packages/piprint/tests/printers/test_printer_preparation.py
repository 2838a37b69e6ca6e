"""From document and settings to what goes out: labels go to label printers, and to no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from piprint.config.load import parse
from piprint.config.settings import Config, PrinterConfig
from piprint.contract import PDF, ZPL
from piprint.documents.inspect import Inspector
from piprint.errors import DocumentError
from piprint.jobs.active_job import Prepared
from piprint.jobs.printing.preparation import Preparation
from piprint.printers.backends.raw_printer import RawPrinter
from piprint.printers.printer import PrinterAddress

LABEL = b"CT~~CD,~CC^~CT~\n^XA^FO50,50^FDpallet^FS^XZ"


CONFIG = """
[business_central]
environment = "x"
[business_central.login]
kind = "secret"
tenant = "t"
client_id = "c"
secret = "s"
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return parse(CONFIG, tmp_path / "piprint.toml")


async def prepared(
    config: Config, document: bytes, language: str, type_: str, folder: Path, uri: str = "socket://x"
) -> Prepared:
    settings = PrinterConfig(id="P", uri=uri, language=language)
    config = config.model_copy(update={"printers": (settings,)})
    path = folder / "document"
    path.write_bytes(document)
    payload = json.dumps({"version": 1, "documenttype": type_, "defaultcopies": 2})
    inspector = Inspector()
    printer = RawPrinter(PrinterAddress("P", uri), settings, inspector)
    try:
        return await Preparation(config, inspector)("name", payload, path, printer)
    finally:
        await inspector.close()


async def test_al_labels_go_to_a_label_printer_as_they_are(config: Config, tmp_path: Path) -> None:
    made = await prepared(config, LABEL, "zpl", ZPL, tmp_path)
    assert (made.ticket.format, made.ticket.copies, made.notes) == (ZPL, 2, ())
    assert made.document.read_bytes() == LABEL


async def test_al_a_printer_that_does_not_speak_zpl_gets_nothing_and_the_job_says_so(
    config: Config, tmp_path: Path
) -> None:
    with pytest.raises(DocumentError, match="labels in ZPL, and the printer 'P' is not set up to take ZPL") as told:
        await prepared(config, LABEL, "pdf", ZPL, tmp_path)
    assert "so nothing was printed; send it to a label printer" in str(told.value)


async def test_p6_a_pdf_is_not_poured_into_a_label_printer_that_it_is_not_drawn_for(
    config: Config, tmp_path: Path, reportlab_pdf: Callable[..., bytes]
) -> None:
    queue = "ipp://localhost/printers/P"
    with pytest.raises(DocumentError, match="PDFs are drawn as labels only for printers with an uri that begins with"):
        await prepared(config, reportlab_pdf(), "zpl", PDF, tmp_path, queue)
    assert (await prepared(config, reportlab_pdf(), "zpl", PDF, tmp_path)).notes  # drawn; the labels' size is not known
    assert (await prepared(config, LABEL, "zpl", ZPL, tmp_path, queue)).notes == ()


async def test_al_a_pdf_said_to_be_zpl_is_not_poured_into_a_label_printer(config: Config, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="sent as labels in ZPL, but it is a PDF"):
        await prepared(config, b"%PDF-1.4 ...", "zpl", ZPL, tmp_path)


async def test_al_without_a_word_zpl_is_known_by_its_first_command_as_before(config: Config, tmp_path: Path) -> None:
    assert (await prepared(config, b"^XA^XZ", "zpl", PDF, tmp_path)).document
    with pytest.raises(DocumentError, match="no PDF: it is ZPL"):
        await prepared(config, b"^XA^XZ", "pdf", PDF, tmp_path)
