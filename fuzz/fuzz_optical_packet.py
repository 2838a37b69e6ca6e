"""Any bytes, in any chunks, give the same packets, each of which was there; never an error, no hoarding."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["osgp"]):
    from osgp.errors import CorruptFrame
    from osgp.optical.datalink.packet import Packet, PacketReader, Signal
    from osgp.optical.services import Identify, decode_identity, decode_response, decode_service, encode_service
    from osgp.psem import PartialRead

LARGEST = 600


def found(chunks: list[bytes]) -> list[Packet | Signal]:
    """Return what a reader finds, after giving up on the rest."""
    reader = PacketReader(LARGEST)
    items = []
    for chunk in chunks:
        items += reader.feed(chunk)
        assert len(reader._buffer) < LARGEST  # noqa: SLF001 - the bound is the invariant
    items += reader.give_up()
    assert not reader.pending
    return [item for item in items if isinstance(item, Packet | Signal)]


def try_services(message: bytes) -> None:
    """Read a message as every kind of message there is."""
    try:
        service = decode_service(message)
        assert decode_service(encode_service(service)) == service
    except CorruptFrame:
        pass
    for asked in (Identify(), PartialRead(28, 0, 4)):
        try:
            response = decode_response(message, asked)
            if isinstance(asked, Identify) and response.ok:
                decode_identity(response.data)
        except CorruptFrame:
            pass


def one_input(data: bytes) -> None:
    """Feed bytes whole, one by one, and cut where they say."""
    cut = data[0] % (len(data) + 1) if data else 0
    whole = found([data])
    assert whole == found([data[at : at + 1] for at in range(len(data))])
    assert whole == found([data[:cut], data[cut:]])
    for item in whole:
        if isinstance(item, Packet):
            assert item.encode() in data
            try_services(item.data)
    try_services(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
