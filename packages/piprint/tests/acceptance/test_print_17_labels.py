"""Acceptance 17: labels at port 9100; what arrives is what was printed, byte by byte."""

from __future__ import annotations

from office import Office
from papers import LABEL, pdf
from printshop import LabelPrinter, until

from piprint.contract import ZPL, JobState
from piprint.documents.pdf_file import pdf_file, stream

LABEL_SIZE = (283.46, 425.2)
"""100 x 150 mm in points."""


async def test_17_raw_label_arrives_byte_by_byte():
    async with LabelPrinter().listening() as printer, Office() as office:
        office.config = f'[[printers]]\nid = "zebra"\nuri = "{printer.uri}"\nlanguage = "raw"\npaper = ["100x150mm"]\n'
        await office.start()
        await office.offers("zebra")
        jobs = [office.print("zebra", LABEL + bytes(range(256)) * 40), office.print("zebra", LABEL)]
        await office.becomes(JobState.PRINTED, *jobs)
        assert printer.received == [LABEL + bytes(range(256)) * 40, LABEL]
        assert "does not tell whether it was printed" in office.job(jobs[0]).message


async def test_17_pdf_becomes_one_zpl_label_per_page():
    async with LabelPrinter().listening() as printer, Office() as office:
        office.config = f'[[printers]]\nid = "zebra"\nuri = "{printer.uri}"\nlanguage = "zpl"\npaper = ["100x150mm"]\n'
        await office.start()
        await office.offers("zebra")
        job = office.print("zebra", pdf("pallet 4711", pages=2, size=LABEL_SIZE))
        await office.becomes(JobState.PRINTED, job)
        (label,) = printer.received
        assert label.count(b"^XA") == label.count(b"^XZ") == 2
        assert b"^GF" in label


async def test_al_labels_of_another_extension_reach_a_label_printer_and_no_other():
    """Sent as our codeunit PIPrintAPI does; the judge is what arrived at the port."""
    document = b"CT~~CD,~CC^~CT~\n" + LABEL  # its first command says nothing of ZPL to whoever guesses
    async with LabelPrinter().listening() as zebra, LabelPrinter().listening() as plain, Office() as office:
        office.config = "".join(
            f'[[printers]]\nid = "{name}"\nuri = "{sink.uri}"\nlanguage = "{language}"\n'
            for name, sink, language in (("zebra", zebra, "zpl"), ("plain", plain, "pdf"))
        )
        await office.start()
        await office.offers("zebra", "plain")
        rows = [office.printer(name).row_no for name in ("zebra", "plain")]
        good, bad = (
            office.bc.people.send(row, document, name="Pallet", document_type=ZPL, copies=2).row_no for row in rows
        )
        await office.becomes(JobState.PRINTED, good)
        await office.becomes(JobState.ERROR, bad)
        assert zebra.received == [document * 2]
        assert plain.received == []
        assert "not set up to take ZPL" in office.job(bad).message


async def test_17_label_printer_switched_off_is_waited_for():
    printer = LabelPrinter()
    async with printer.listening():
        pass
    async with Office() as office:
        office.config = f'[[printers]]\nid = "zebra"\nuri = "{printer.uri}"\nlanguage = "raw"\n'
        await office.start()
        await office.offers("zebra")
        job = office.print("zebra", LABEL)
        await until(lambda: office.job(job).status is JobState.PRINTING)
        async with printer.listening():
            await office.becomes(JobState.PRINTED, job)
        assert printer.received == [LABEL]


DAMAGED = b"\xff\xd8\xff nothing but its first bytes"


def with_picture(picture: bytes) -> bytes:
    """Return a label whose logo is a JPEG of these bytes."""
    content = b"q 100 0 0 100 50 50 cm /I Do Q"
    image = b"/Type/XObject/Subtype/Image/Width 64/Height 64/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode"
    return pdf_file(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 283.46 425.2]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
        stream(content),
        b"<<%s/Length %d>>\nstream\n%s\nendstream" % (image, len(picture), picture),
    )


async def test_17_p13_a_picture_that_is_missing_on_the_label_is_told():
    async with LabelPrinter().listening() as printer, Office() as office:
        office.config = f'[[printers]]\nid = "zebra"\nuri = "{printer.uri}"\nlanguage = "zpl"\npaper = ["100x150mm"]\n'
        await office.start()
        await office.offers("zebra")
        damaged, whole = (
            office.print("zebra", with_picture(DAMAGED)),
            office.print("zebra", pdf("whole", size=LABEL_SIZE)),
        )
        await office.becomes(JobState.PRINTED, damaged, whole)
        assert (
            "1 picture is damaged and is missing on the label (page 1 of the document)." in office.job(damaged).message
        )
        assert "missing" not in office.job(whole).message
        assert len(printer.received) == 2
