"""Papers and paper trays: .NET's numbers and names, which Business Central speaks, and PWG's names, which printers speak.

Sizes are hundredths of a millimetre, width first, as IPP counts. A PWG name carries its size, so a size stands nowhere else.

Sources: Microsoft's .NET reference, enumerations ``System.Drawing.Printing.PaperKind`` and ``PaperSourceKind`` (numbers are
those of ``wingdi.h``); PWG 5101.1-2013, *Media Standardized Names 2*, section 5 (names). Where .NET and wingdi.h disagree on a
size (B4, B5), .NET's is taken: Business Central runs on .NET.

This module does not know payloads, configuration or IPP.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "PAPER_KINDS",
    "PAPER_SOURCES",
    "TOLERANCE",
    "PaperKind",
    "custom_media_name",
    "hundredths_of_mm",
    "is_same_size",
    "kind_by_name",
    "kind_of_size",
    "media_name",
    "media_size",
    "read_paper",
    "source_by_name",
]

TOLERANCE = 50
"""How far two sizes may be apart and still be the same sheet: half a millimetre. Business Central rounds to hundredths of an
inch, printers round to points."""

PAPER_SOURCES: dict[int, str] = {
    1: "Upper",
    2: "Lower",
    3: "Middle",
    4: "Manual",
    5: "Envelope",
    6: "ManualFeed",
    7: "AutomaticFeed",
    8: "TractorFeed",
    9: "SmallFormat",
    10: "LargeFormat",
    11: "LargeCapacity",
    14: "Cassette",
    15: "FormSource",
    257: "Custom",
}
"""PaperSourceKind, number to name."""

CUSTOM = 0
"""The PaperKind whose size is told beside it."""


@dataclass(frozen=True, slots=True)
class PaperKind:
    """One value of .NET's PaperKind.

    Attributes:
        number: the value.
        name: its name.
        media: the sheet's PWG name; "" for Custom.
        rotated: .NET tells the sheet with width and height changed over.
    """

    number: int
    name: str
    media: str
    rotated: bool = False

    @property
    def size(self) -> tuple[int, int] | None:
        """Return width and height as .NET tells them; None for Custom."""
        sheet = media_size(self.media)
        return (sheet[1], sheet[0]) if sheet and self.rotated else sheet


_DIMENSIONS = re.compile(r"(?:.*_)?(\d{1,5}(?:\.\d{1,4})?)x(\d{1,5}(?:\.\d{1,4})?)(mm|in)", re.ASCII)
_HUNDREDTHS: dict[str, int] = {"mm": 100, "in": 2540}


def media_size(name: str) -> tuple[int, int] | None:
    """Return the size a PWG self-describing name carries (PWG 5101.1, 5.1); None when it carries none, or an empty one.

    The dimensions alone (``100x150mm``) do, too.
    """
    match = _DIMENSIONS.fullmatch(name)
    if match is None:
        return None
    width, height = (hundredths_of_mm(float(match[side]), match[3]) for side in (1, 2))
    return (width, height) if width and height else None


def hundredths_of_mm(length: float, unit: str) -> int:
    """Return a length in ``mm`` or ``in`` as hundredths of a millimetre."""
    return round(length * _HUNDREDTHS[unit])


PAPER_KINDS: dict[int, PaperKind] = {
    kind.number: kind
    for kind in (
        PaperKind(CUSTOM, "Custom", ""),
        PaperKind(1, "Letter", "na_letter_8.5x11in"),
        PaperKind(2, "LetterSmall", "na_letter_8.5x11in"),
        PaperKind(3, "Tabloid", "na_ledger_11x17in"),
        PaperKind(4, "Ledger", "na_ledger_11x17in", rotated=True),
        PaperKind(5, "Legal", "na_legal_8.5x14in"),
        PaperKind(6, "Statement", "na_invoice_5.5x8.5in"),
        PaperKind(7, "Executive", "na_executive_7.25x10.5in"),
        PaperKind(8, "A3", "iso_a3_297x420mm"),
        PaperKind(9, "A4", "iso_a4_210x297mm"),
        PaperKind(10, "A4Small", "iso_a4_210x297mm"),
        PaperKind(11, "A5", "iso_a5_148x210mm"),
        PaperKind(12, "B4", "iso_b4_250x353mm"),
        PaperKind(13, "B5", "iso_b5_176x250mm"),
        PaperKind(14, "Folio", "na_foolscap_8.5x13in"),
        PaperKind(15, "Quarto", "na_quarto_8.5x10.83in"),
        PaperKind(16, "Standard10x14", "na_10x14_10x14in"),
        PaperKind(17, "Standard11x17", "na_ledger_11x17in"),
        PaperKind(18, "Note", "na_letter_8.5x11in"),
        PaperKind(19, "Number9Envelope", "na_number-9_3.875x8.875in"),
        PaperKind(20, "Number10Envelope", "na_number-10_4.125x9.5in"),
        PaperKind(21, "Number11Envelope", "na_number-11_4.5x10.375in"),
        PaperKind(22, "Number12Envelope", "na_number-12_4.75x11in"),
        PaperKind(23, "Number14Envelope", "na_number-14_5x11.5in"),
        PaperKind(24, "CSheet", "na_c_17x22in"),
        PaperKind(25, "DSheet", "na_d_22x34in"),
        PaperKind(26, "ESheet", "na_e_34x44in"),
        PaperKind(27, "DLEnvelope", "iso_dl_110x220mm"),
        PaperKind(28, "C5Envelope", "iso_c5_162x229mm"),
        PaperKind(29, "C3Envelope", "iso_c3_324x458mm"),
        PaperKind(30, "C4Envelope", "iso_c4_229x324mm"),
        PaperKind(31, "C6Envelope", "iso_c6_114x162mm"),
        PaperKind(32, "C65Envelope", "iso_c6c5_114x229mm"),
        PaperKind(33, "B4Envelope", "iso_b4_250x353mm"),
        PaperKind(34, "B5Envelope", "iso_b5_176x250mm"),
        PaperKind(35, "B6Envelope", "iso_b6_125x176mm", rotated=True),
        PaperKind(36, "ItalyEnvelope", "om_italian_110x230mm"),
        PaperKind(37, "MonarchEnvelope", "na_monarch_3.875x7.5in"),
        PaperKind(38, "PersonalEnvelope", "na_personal_3.625x6.5in"),
        PaperKind(39, "USStandardFanfold", "na_fanfold-us_11x14.875in", rotated=True),
        PaperKind(40, "GermanStandardFanfold", "na_fanfold-eur_8.5x12in"),
        PaperKind(41, "GermanLegalFanfold", "na_foolscap_8.5x13in"),
        PaperKind(42, "IsoB4", "iso_b4_250x353mm"),
        PaperKind(43, "JapanesePostcard", "jpn_hagaki_100x148mm"),
        PaperKind(44, "Standard9x11", "na_9x11_9x11in"),
        PaperKind(45, "Standard10x11", "na_10x11_10x11in"),
        PaperKind(46, "Standard15x11", "na_11x15_11x15in", rotated=True),
        PaperKind(47, "InviteEnvelope", "om_invite_220x220mm"),
        PaperKind(50, "LetterExtra", "na_letter-extra_9.5x12in"),
        PaperKind(51, "LegalExtra", "na_legal-extra_9.5x15in"),
        PaperKind(52, "TabloidExtra", "custom_tabloid-extra_11.69x18in"),
        PaperKind(53, "A4Extra", "iso_a4-extra_235.5x322.3mm"),
        PaperKind(54, "LetterTransverse", "na_letter_8.5x11in"),
        PaperKind(55, "A4Transverse", "iso_a4_210x297mm"),
        PaperKind(56, "LetterExtraTransverse", "na_letter-extra_9.5x12in"),
        PaperKind(57, "APlus", "na_super-a_8.94x14in"),
        PaperKind(58, "BPlus", "na_b-plus_12x19.17in"),
        PaperKind(59, "LetterPlus", "na_letter-plus_8.5x12.69in"),
        PaperKind(60, "A4Plus", "om_folio_210x330mm"),
        PaperKind(61, "A5Transverse", "iso_a5_148x210mm"),
        PaperKind(62, "B5Transverse", "jis_b5_182x257mm"),
        PaperKind(63, "A3Extra", "iso_a3-extra_322x445mm"),
        PaperKind(64, "A5Extra", "iso_a5-extra_174x235mm"),
        PaperKind(65, "B5Extra", "iso_b5-extra_201x276mm"),
        PaperKind(66, "A2", "iso_a2_420x594mm"),
        PaperKind(67, "A3Transverse", "iso_a3_297x420mm"),
        PaperKind(68, "A3ExtraTransverse", "iso_a3-extra_322x445mm"),
        PaperKind(69, "JapaneseDoublePostcard", "jpn_oufuku_148x200mm", rotated=True),
        PaperKind(70, "A6", "iso_a6_105x148mm"),
        PaperKind(71, "JapaneseEnvelopeKakuNumber2", "jpn_kaku2_240x332mm"),
        PaperKind(72, "JapaneseEnvelopeKakuNumber3", "jpn_kaku3_216x277mm"),
        PaperKind(73, "JapaneseEnvelopeChouNumber3", "jpn_chou3_120x235mm"),
        PaperKind(74, "JapaneseEnvelopeChouNumber4", "jpn_chou4_90x205mm"),
        PaperKind(75, "LetterRotated", "na_letter_8.5x11in", rotated=True),
        PaperKind(76, "A3Rotated", "iso_a3_297x420mm", rotated=True),
        PaperKind(77, "A4Rotated", "iso_a4_210x297mm", rotated=True),
        PaperKind(78, "A5Rotated", "iso_a5_148x210mm", rotated=True),
        PaperKind(79, "B4JisRotated", "jis_b4_257x364mm", rotated=True),
        PaperKind(80, "B5JisRotated", "jis_b5_182x257mm", rotated=True),
        PaperKind(81, "JapanesePostcardRotated", "jpn_hagaki_100x148mm", rotated=True),
        PaperKind(82, "JapaneseDoublePostcardRotated", "jpn_oufuku_148x200mm"),
        PaperKind(83, "A6Rotated", "iso_a6_105x148mm", rotated=True),
        PaperKind(84, "JapaneseEnvelopeKakuNumber2Rotated", "jpn_kaku2_240x332mm", rotated=True),
        PaperKind(85, "JapaneseEnvelopeKakuNumber3Rotated", "jpn_kaku3_216x277mm", rotated=True),
        PaperKind(86, "JapaneseEnvelopeChouNumber3Rotated", "jpn_chou3_120x235mm", rotated=True),
        PaperKind(87, "JapaneseEnvelopeChouNumber4Rotated", "jpn_chou4_90x205mm", rotated=True),
        PaperKind(88, "B6Jis", "jis_b6_128x182mm"),
        PaperKind(89, "B6JisRotated", "jis_b6_128x182mm", rotated=True),
        PaperKind(90, "Standard12x11", "na_11x12_11x12in", rotated=True),
        PaperKind(91, "JapaneseEnvelopeYouNumber4", "jpn_you4_105x235mm"),
        PaperKind(92, "JapaneseEnvelopeYouNumber4Rotated", "jpn_you4_105x235mm", rotated=True),
        PaperKind(93, "Prc16K", "prc_16k_146x215mm"),
        PaperKind(94, "Prc32K", "prc_32k_97x151mm"),
        PaperKind(95, "Prc32KBig", "prc_32k_97x151mm"),
        PaperKind(96, "PrcEnvelopeNumber1", "prc_1_102x165mm"),
        PaperKind(97, "PrcEnvelopeNumber2", "prc_2_102x176mm"),
        PaperKind(98, "PrcEnvelopeNumber3", "iso_b6_125x176mm"),
        PaperKind(99, "PrcEnvelopeNumber4", "prc_4_110x208mm"),
        PaperKind(100, "PrcEnvelopeNumber5", "iso_dl_110x220mm"),
        PaperKind(101, "PrcEnvelopeNumber6", "custom_prc-6_120x230mm"),  # PWG's prc_6 is 120 x 320 mm
        PaperKind(102, "PrcEnvelopeNumber7", "prc_7_160x230mm"),
        PaperKind(103, "PrcEnvelopeNumber8", "prc_8_120x309mm"),
        PaperKind(104, "PrcEnvelopeNumber9", "iso_c4_229x324mm"),
        PaperKind(105, "PrcEnvelopeNumber10", "iso_c3_324x458mm"),
        PaperKind(106, "Prc16KRotated", "prc_16k_146x215mm", rotated=True),
        PaperKind(107, "Prc32KRotated", "prc_32k_97x151mm", rotated=True),
        PaperKind(108, "Prc32KBigRotated", "prc_32k_97x151mm", rotated=True),
        PaperKind(109, "PrcEnvelopeNumber1Rotated", "prc_1_102x165mm", rotated=True),
        PaperKind(110, "PrcEnvelopeNumber2Rotated", "prc_2_102x176mm", rotated=True),
        PaperKind(111, "PrcEnvelopeNumber3Rotated", "iso_b6_125x176mm", rotated=True),
        PaperKind(112, "PrcEnvelopeNumber4Rotated", "prc_4_110x208mm", rotated=True),
        PaperKind(113, "PrcEnvelopeNumber5Rotated", "iso_dl_110x220mm", rotated=True),
        PaperKind(114, "PrcEnvelopeNumber6Rotated", "custom_prc-6_120x230mm", rotated=True),
        PaperKind(115, "PrcEnvelopeNumber7Rotated", "prc_7_160x230mm", rotated=True),
        PaperKind(116, "PrcEnvelopeNumber8Rotated", "prc_8_120x309mm", rotated=True),
        PaperKind(117, "PrcEnvelopeNumber9Rotated", "iso_c4_229x324mm", rotated=True),
        PaperKind(118, "PrcEnvelopeNumber10Rotated", "iso_c3_324x458mm", rotated=True),
    )
}
"""PaperKind by number; 48 and 49 are not used."""

_OTHER_MEDIA = ("na_index-4x6_4x6in", "na_5x7_5x7in", "iso_a0_841x1189mm", "iso_a1_594x841mm", "iso_a7_74x105mm")
"""Sheets with a PWG name that .NET has no kind for."""

_KINDS_BY_NAME = {kind.name.casefold(): kind for kind in PAPER_KINDS.values()}
_SOURCES_BY_NAME = {name.casefold(): number for number, name in PAPER_SOURCES.items()}
_SIZES = {
    name: size
    for name in (*(kind.media for kind in PAPER_KINDS.values()), *_OTHER_MEDIA)
    if not name.startswith("custom_") and (size := media_size(name))
}


def kind_by_name(name: str) -> PaperKind | None:
    """Return the paper kind of a .NET name, in any case of letters."""
    return _KINDS_BY_NAME.get(name.strip().casefold())


def source_by_name(name: str) -> int | None:
    """Return the number of a PaperSourceKind, told by name in any case of letters or by number."""
    plain = name.strip().casefold()
    if plain.isascii() and plain.isdigit():
        return int(plain) if len(plain) < 6 else None  # noqa: PLR2004 - DEVMODE's field has 16 bits
    return _SOURCES_BY_NAME.get(plain)


def is_same_size(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Tell whether two sizes are the same sheet, held the same way; see :data:`TOLERANCE`."""
    return abs(one[0] - other[0]) <= TOLERANCE and abs(one[1] - other[1]) <= TOLERANCE


def kind_of_size(size: tuple[int, int]) -> PaperKind | None:
    """Return the paper kind of a size; where several have it, the one with the lowest number, which is the plain one."""
    return next((kind for kind in PAPER_KINDS.values() if kind.size and is_same_size(kind.size, size)), None)


def media_name(size: tuple[int, int]) -> str:
    """Return the PWG name of a size: a standard one, or ``custom_<size>_<size>`` (PWG 5101.1, 5.1)."""
    for name, known in _SIZES.items():
        if is_same_size(known, size):
            return name
    return custom_media_name(size)


def custom_media_name(size: tuple[int, int]) -> str:
    """Return the name of a size a printer takes by its custom range, without having a name for it."""
    text = f"{size[0] / 100:.7g}x{size[1] / 100:.7g}mm"
    return f"custom_{text}_{text}"


def read_paper(text: str) -> tuple[int, int] | None:
    """Read a paper as people write it: ``A4``, ``letter``, ``100x150mm``, ``4x6in`` or a PWG name; None when it is none."""
    plain = re.sub(r"\s+", "", text).casefold()
    kind = kind_by_name(plain)
    return kind.size if kind else media_size(plain)
