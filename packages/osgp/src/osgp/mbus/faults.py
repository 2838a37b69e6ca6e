"""Why a record has no value although its bytes are all there.

Such a fault concerns one record; the records before and after it can still be read. A record whose length cannot be
determined, for example because the data end too early, has no such fault: the reading of the telegram ends there, and
the bytes from there on are kept as ``rest`` of :class:`osgp.mbus.records.Records`.

This module does not know how values are encoded.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Fault"]


class Fault(Enum):
    """What is wrong with one value, in words that complete "no value: ..."."""

    NOT_DECIMAL = "a digit of the decimal number is none (many devices say so that a sensor is missing)"
    NOT_A_NUMBER = "the real number is infinite or none"
    NO_DATE = "it is no date: never set, marked invalid, or a pattern such as 'every month'"
    NO_DATA = "the device says that it has no data"
    OVERFLOW = "the device says that the value is too large for it"
    UNDERFLOW = "the device says that the value is too small for it"
    DATA_ERROR = "the device says that the data are wrong"
    REPORTED = "the device marks the record as an error or an order"
    CUT = "only a part of the value's bytes was kept"
    WITHHELD = "it is a password or access code, which is never shown"
