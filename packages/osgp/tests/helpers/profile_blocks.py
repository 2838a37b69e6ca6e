"""Blocks of a load profile, put together by hand as the guide prints them (MEP guide v1.1 p. 239-240)."""

STALE = 0xDE
"""Every byte of a slot that was not recorded: of an older round."""


def interval(common, statuses, values):
    """Return an interval's bytes: the common nibble first, then those of the channels, two in a byte, the higher one first."""
    nibbles = [common, *statuses]
    if len(nibbles) % 2:
        nibbles.append(0)
    packed = bytes(high * 16 + low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))
    return packed + b"".join(value.to_bytes(4, "little", signed=True) for value in values)


def block(end, slots, recorded, channels):
    """Return a block's bytes.

    Args:
        end: the time in its header.
        slots: how many it has.
        recorded: for each slot that was recorded its common status, the status of its channels, and their values.
        channels: how many there are.
    """
    bits = sum(1 << slot for slot in recorded)
    header = bytes((end.year - 2000, end.month, end.day, end.hour, end.minute)) + bits.to_bytes(
        (slots + 7) // 8, "little"
    )
    empty = bytes((STALE,)) * (channels // 2 + 1 + 4 * channels)
    return header + b"".join(interval(*recorded[slot]) if slot in recorded else empty for slot in range(slots))
