"""A log as a meter keeps it, made without the code that reads it, and all that was ever entered into it."""

from dataclasses import dataclass, field

from osgp.tables.logs.ring import EVENT_HEADER, LONG_HEADER, SHORT_HEADER, Ring

SIZE = 4
"""Bytes of an entry: the lower half of its number, and a number that no other entry has."""
SHAPES = {"short": SHORT_HEADER, "long": LONG_HEADER, "event": EVENT_HEADER}


@dataclass
class Model:
    """A log as a meter keeps it: the truth, and the table's bytes made from it without the library's code."""

    shape: str
    places: int
    first: int = 0
    """Number of the first entry."""
    truth: list = field(default_factory=list)
    """All entries ever, the oldest first: number and bytes."""
    valid: int = 0
    place: int = -1
    memory: list = field(default_factory=list)
    number: int = -1

    def __post_init__(self):
        self.memory = [b"\xee" * SIZE] * self.places
        self.number = self.first - 1

    @property
    def modulus(self):
        return 1 << 32 if self.shape == "event" else 1 << 16

    def ring(self):
        return Ring("BT74", SHAPES[self.shape], self.places, SIZE, number_at=0 if self.shape == "event" else None)

    def enter(self, left_out=0):
        """Enter one entry; the other log may have taken numbers before it."""
        self.number = (self.number + 1 + (left_out if self.shape == "event" else 0)) % self.modulus
        tag = len(self.truth) * 7 + 1
        raw = (self.number & 0xFFFF).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
        self.truth.append((self.number, raw))
        self.place = (self.place + 1) % self.places
        self.memory[self.place] = raw
        self.valid = min(self.valid + 1, self.places)

    def clear(self, *, anew=False):
        """Empty the log; before firmware 3.70 numbers begin anew."""
        self.valid, self.place = 0, -1
        if anew:
            self.number = self.first - 1
        self.truth = []

    def table(self):
        widths = {"short": (1, 1, 2, 1), "long": (2, 2, 2, 2), "event": (2, 2, 4, 2)}[self.shape]
        numbers = (self.valid, max(self.place, 0), max(self.number, 0), 0)
        header = b"".join(number.to_bytes(width, "little") for number, width in zip(numbers, widths, strict=True))
        return b"\x04" + header + b"".join(self.memory)
