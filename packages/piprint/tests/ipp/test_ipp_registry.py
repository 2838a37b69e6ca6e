"""The numbers of IPP, held against CUPS's own library where it is installed."""

import ctypes

import pytest

from piprint.ipp.registry import ADVICE, WAITING, Delimiter, Operation, Status, Tag, status_name

_SYNTAX_NAMES = {  # the library's names where they differ from ours by more than spelling
    Tag.TEXT: "textWithoutLanguage",
    Tag.NAME: "nameWithoutLanguage",
    Tag.RANGE: "rangeOfInteger",
    Tag.BEGIN_COLLECTION: "collection",
    Tag.MEMBER_NAME: "memberAttrName",
    Tag.OCTET_STRING: "octetString",
}


@pytest.fixture(scope="module")
def cups():
    try:
        library = ctypes.CDLL("libcups.so.2")
    except OSError:
        pytest.skip("CUPS's library is not installed")
    for name in ("ippErrorString", "ippTagString", "ippOpString"):
        getattr(library, name).restype = ctypes.c_char_p
    return library


def _flat(text):
    return text.lower().replace("-", "").replace("_", "")


@pytest.mark.parametrize("status", Status, ids=lambda status: status.name)
def test_statuses_are_called_as_in_cups(cups, status):
    known = cups.ippErrorString(status).decode()
    assert known.startswith(status_name(status).split(" ")[0])


@pytest.mark.parametrize("tag", Tag, ids=lambda tag: tag.name)
def test_value_tags_are_those_of_cups(cups, tag):
    assert _flat(cups.ippTagString(tag).decode()) == _flat(_SYNTAX_NAMES.get(tag, tag.name))


@pytest.mark.parametrize("tag", Delimiter, ids=lambda tag: tag.name)
def test_group_tags_are_those_of_cups(cups, tag):
    assert _flat(cups.ippTagString(tag).decode()).startswith(_flat(tag.name))


@pytest.mark.parametrize("operation", Operation, ids=lambda operation: operation.name)
def test_operations_are_those_of_cups(cups, operation):
    assert _flat(cups.ippOpString(operation).decode()) == _flat(operation.name)


def test_an_unknown_status_keeps_its_number():
    assert status_name(0x04FF) == "client-error-unknown (0x04ff)"
    assert status_name(0x0999) == "status-unknown (0x0999)"
    assert status_name(0x0406) == "client-error-not-found (0x0406)"


def test_every_refusal_that_waits_says_so():
    assert set(ADVICE) >= WAITING
    for status in WAITING:
        assert "the job waits" in ADVICE[status]
    for status in set(ADVICE) - WAITING:
        assert "the job waits" not in ADVICE[status]
