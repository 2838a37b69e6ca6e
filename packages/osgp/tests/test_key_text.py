"""Keys as people paste them (R11): taken, or the cause named, and never shown."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from osgp.errors import KeyFormatError
from osgp.key import MeterKey
from osgp.optical.key import OpticalKey

TEXT = "Kj8#mP2$vL9@qR4!wZ7x"
BYTES = bytes((0, 17, 34, 51, 68, 85, 102, 119, 136, 153, 170, 187, 204, 221, 238, 255, 1, 2, 3, 4))
HEX = BYTES.hex()
SHORT = BYTES[:16]
BOM, ZERO_WIDTH, NO_BREAK, DASH = (
    "\N{ZERO WIDTH NO-BREAK SPACE}",
    "\N{ZERO WIDTH SPACE}",
    "\N{NO-BREAK SPACE}",
    "\N{EN DASH}",
)
OPEN, CLOSE = "\N{LEFT DOUBLE QUOTATION MARK}", "\N{RIGHT DOUBLE QUOTATION MARK}"


def c_array(data, spell="0x{:02x}".format, between=", "):
    return between.join(map(spell, data))


CHARACTERS = {
    "double quotes": f'"{TEXT}"',
    "single quotes": f"'{TEXT}'",
    "backticks": f"`{TEXT}`",
    "typographic quotes": f"{OPEN}{TEXT}{CLOSE}",
    "german quotes": f"\N{DOUBLE LOW-9 QUOTATION MARK}{TEXT}{OPEN}",
    "french quotes": f"\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}{TEXT}\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}",
    "quotes and a comma": f' "{TEXT}",\n',
    "a python literal": f"b'{TEXT}'",
    "a byte order mark": BOM + TEXT,
    "a byte order mark and quotes": f'{BOM}"{TEXT}"\r\n',
    "zero-width blanks": f"{ZERO_WIDTH}{TEXT[:7]}{ZERO_WIDTH}{TEXT[7:]}",
    "a no-break blank at the end": TEXT + NO_BREAK,
    "a line end of Windows": f"{TEXT}\r\n",
    "a name": f"mbk = {TEXT}",
    "a name and quotes": f'key: "{TEXT}"',
}

HEX_TEXTS = {
    "0x": f"0x{HEX}",
    "0X and capitals": f"0X{HEX.upper()}",
    "quotes": f'"{HEX}"',
    "quotes and 0x": f"'0x{HEX}'",
    "a C array": f"{{{c_array(BYTES)}}}",
    "a C array without blanks": f"{{{c_array(BYTES, between=',')}}}",
    "a C array with a comma at its end": f"{{ {c_array(BYTES)}, }};",
    "a C declaration": f"uint8_t key[20] = {{{c_array(BYTES)}}};",
    "a C declaration of another size": f"const byte MBK[] = {{\n  {c_array(BYTES)}\n}};\n",
    "one digit after 0x": c_array(BYTES, "0x{:x}".format),
    "escapes": "".join(map("\\x{:02x}".format, BYTES)),
    "quoted escapes": '"' + "".join(map("\\x{:02x}".format, BYTES)) + '"',
    "a python list": f"[{c_array(BYTES)}]",
    "python bytes": "b'" + "".join(map("\\x{:02x}".format, BYTES)) + "'",
    "a byte order mark": BOM + HEX,
    "dashes": BYTES.hex("-"),
    "typographic dashes": BYTES.hex("-").replace("-", DASH),
    "dashes with blanks": BYTES.hex("-").replace("-", " - "),
    "colons": BYTES.hex(":"),
    "a trailing colon": f"{BYTES.hex(':')}:",
    "a leading colon": f":{BYTES.hex(':')}",
    "commas": BYTES.hex(","),
    "commas and blanks": BYTES.hex(",").replace(",", ", "),
    "semicolons": BYTES.hex(";"),
    "dots": BYTES.hex("."),
    "underscores": BYTES.hex("_"),
    "two lines": f"{BYTES[:10].hex(' ')}\n{BYTES[10:].hex(' ')}\n",
    "two lines of Windows in one go": f"{HEX[:20]}\r\n{HEX[20:]}\r\n",
    "no-break blanks": BYTES.hex(" ").replace(" ", NO_BREAK),
    "zero-width blanks": BYTES.hex(" ").replace(" ", ZERO_WIDTH),
    "groups of five": " ".join(HEX[at : at + 5] for at in range(0, 40, 5)),
    "a program that drops zeros": " ".join(map("{:X}".format, BYTES)),
    "the zero that ends a string (42 digits, as NES-MEP-Reader shows)": f"{HEX}00",
    "the same in groups": BYTES.hex(" ") + " 00",
    "a name": f"MBK: {HEX}",
    "a longer name": f"mep_key={HEX}",
}  # fmt: skip

NUMBERS = {
    "braces": f"{{{', '.join(map(str, BYTES))}}}",
    "a C declaration": f"byte key[] = {{{','.join(map(str, BYTES))}}};",
    "brackets": f"[{', '.join(map(str, BYTES))}]",
    "brackets over lines": "[\n" + ",\n".join(map(str, BYTES)) + ",\n]",
    "parentheses": f"({', '.join(map(str, BYTES))})",
    "quotes": f'"{", ".join(map(str, BYTES))}"',
    "three digits each": " ".join(map("{:03d}".format, BYTES)),
    "the zero that ends a string": ", ".join(map(str, (*BYTES, 0))),
    "a byte order mark": BOM + " ".join(map(str, BYTES)),
}


def named(texts):
    return pytest.mark.parametrize("text", texts.values(), ids=texts.keys())


@named(CHARACTERS)
def test_r11_characters(text):
    assert MeterKey.parse(text).secret == TEXT[:16].encode()
    assert MeterKey.parse(text).form == "20 characters"
    assert OpticalKey.parse(text).secret == TEXT.encode()


@named(HEX_TEXTS)
def test_r11_hex(text):
    assert MeterKey.parse(text).secret == SHORT
    assert MeterKey.parse(text).form == "40 hex digits"
    assert OpticalKey.parse(text).secret == BYTES


@named(NUMBERS)
def test_r11_numbers(text):
    assert MeterKey.parse(text).secret == SHORT
    assert MeterKey.parse(text).form == "20 decimal numbers"
    assert OpticalKey.parse(text).secret == BYTES


def test_r11_sixteen_bytes_in_the_same_dress():
    for text in (
        f"0x{SHORT.hex()}",
        f"{{{c_array(SHORT)}}}",
        f"{SHORT.hex(':')}:",
        f"{SHORT.hex()}00",
        f"{list(SHORT)}",
    ):
        assert MeterKey.parse(text).secret == SHORT


def test_r11_a_name_before_sixteen_characters_is_no_part_of_them():
    assert MeterKey.parse("key=ABCDEFGHIJKLMNOP").secret == b"ABCDEFGHIJKLMNOP"
    assert MeterKey.parse("key:ABCDEFGHIJKL").secret == b"key:ABCDEFGHIJKL"


def test_r11_quotation_marks_that_make_twenty_belong_to_the_key():
    assert MeterKey.parse('"ABCDEFGHIJKLMNOPQR"').secret == b'"ABCDEFGHIJKLMNO'
    assert OpticalKey.parse('"ABCDEFGHIJKLMNOPQR"').secret == b'"ABCDEFGHIJKLMNOPQR"'
    assert OpticalKey.parse('"short"').secret == b"short"
    assert OpticalKey.parse("ends in a comma,").secret == b"ends in a comma,"


def test_r11_two_digit_bytes_with_blanks_are_hex_and_with_commas_numbers():
    tens = bytes(range(10, 30))
    assert MeterKey.parse(" ".join(map(str, tens))).secret == bytes.fromhex("".join(map(str, tens)))[:16]
    assert MeterKey.parse(",".join(map(str, tens))).secret == tens[:16]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{HEX}01", "42 hex digits instead of 40 or 32, and the byte too many is not the zero"),
        (f"0x{HEX[1:]}", "39 hex digits instead of 40 or 32: half a byte is missing"),
        (f"{HEX[:38]}", "38 hex digits instead of 40 or 32"),
        (BYTES[:19].hex(":"), "38 hex digits instead of 40 or 32"),
        (f'"{TEXT[:19]}"', "19 characters between its quotation marks"),
        (f"{TEXT[:10]}\n{TEXT[10:]}", "it stands on 2 lines: write it on one"),
        (f"{TEXT[:4]}{CLOSE}{TEXT[5:]}", "as a word processor makes them: write the straight ones"),
        (f"0x{HEX[:-1]}g", "it has 0x as hex has, but not only hex digits"),
        (f"{{{', '.join(map(str, (*BYTES, 1)))}}}", "list of 21 numbers"),
        (f"{{{', '.join(map(str, (*BYTES[:19], 256)))}}}", "number 20 is more than 255"),
        (BOM, "is empty"),
        ('""', "grid company"),
        ("key =", "is empty"),
    ],
)
def test_r11_the_cause_is_named(text, told):
    with pytest.raises(KeyFormatError) as caught:
        MeterKey.parse(text)
    assert told in str(caught.value)
    assert "grid company" in str(caught.value)


def test_r11_no_count_is_compared_with_itself():
    """Once: "has 40 hex digits instead of 40 or 32"."""
    for between in " :,;-_.\t\n|{}[]()'\"`":
        for text in (BYTES.hex(between), f"{BYTES.hex(between)}{between}", f"{between}{BYTES.hex(between)}"):
            assert MeterKey.parse(text).secret == SHORT


shells = st.text(alphabet=" \n\"'`{}[]();,:-0x" + BOM + ZERO_WIDTH + OPEN + CLOSE + DASH, max_size=6)


@given(shells, st.text(alphabet="qzQZ#~9aF", min_size=8, max_size=50), shells)
@example("{", "9" * 40, "}")
def test_r11_no_dress_shows_the_key(before, text, after):
    for kind in (MeterKey, OpticalKey):
        try:
            shown = str(kind.parse(before + text + after))
        except KeyFormatError as error:
            shown = str(error)
        for start in range(len(text) - 4):
            assert text[start : start + 5] not in shown
