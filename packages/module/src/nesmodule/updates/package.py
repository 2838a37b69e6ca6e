"""Takes a package in, byte by byte as it comes: its list and the signature first, then the files. Nothing is written before the signature is right.

A package is ``NESMOD1`` and a line end, the lengths of list and signature (two bytes each, the higher first), the list, the signature,
and the files in the order of the list. The first line of the list has the number of the program, which grows with each release; then
come lines of SHA-256, size and name. The signature is RSA (PKCS #1 v1.5, SHA-256) of the list.

This module does not know where a package comes from.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Any

from nesmodule.updates.slots import LIST, Slots

__all__ = ["MAGIC", "Package", "PackageRefused", "signature_is_right"]

MAGIC = b"NESMOD1\n"
_HEAD = len(MAGIC) + 4
_MOST_LIST = 4096
_MOST_SIGNATURE = 512
_LEAST_SIGNATURE = 384
"""3072 bits."""
_MOST_FILE = 200_000
_EXPONENT = 65_537
_SHA256 = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
"""What stands before a SHA-256 in a signature (RFC 8017, section 9.2, note 1)."""
_CHUNK = 256


class PackageRefused(Exception):
    """The package is not taken; the running program stays."""


def signature_is_right(signed: bytes, signature: bytes, modulus: bytes) -> bool:
    """Tell whether whoever has the private key signed it. The whole block is compared, so nothing can hide in it (RFC 8017, section 8.2.2)."""
    size = len(modulus)
    if len(signature) != size or size < _LEAST_SIGNATURE:
        return False
    number = int.from_bytes(modulus, "big")
    given = int.from_bytes(signature, "big")
    if given >= number:
        return False
    digest = _SHA256 + hashlib.sha256(signed).digest()
    wanted = b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest
    return pow(given, _EXPONENT, number).to_bytes(size, "big") == wanted


class Package:
    """Writes a package into the slot that is not in use.

    Args:
        files: the file system.
        slots: of the module.
        modulus: of the public key.
        older: take a program that is older than the one that is there, which somebody asked for.
    """

    def __init__(self, files: Any, slots: Slots, modulus: bytes, *, older: bool = False) -> None:
        self._files = files
        self._slots = slots
        self._modulus = modulus
        self._older = older
        self._head = b""
        self._list = b""
        self._slot = slots.other(slots.good())
        self._left: list[tuple[int, str]] | None = None
        """The files that are still to come, the next one last; None before the list is known."""
        self._file: Any = None
        self._missing = 0

    def take(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            PackageRefused: it is not signed by whom it should be, older than what is there, or broken.
            OSError: flash is full.
        """
        if self._left is None:
            self._head += data
            wanted = self._wanted()
            if len(self._head) < wanted or wanted == _HEAD:
                return
            data, self._head = self._head[wanted:], self._head[:wanted]
            self._begin()
        while data or (self._file is not None and not self._missing):
            if self._file is None:
                raise PackageRefused("the package is longer than its list says. Get it again")
            part, data = data[: self._missing], data[self._missing :]
            self._file.write(part)
            self._missing -= len(part)
            if not self._missing:
                self._next()

    def finish(self) -> None:
        """Have the slot tried at the next start; raises PackageRefused if something is missing."""
        if self._left is None or self._file is not None:
            self.close()
            raise PackageRefused("the package ended too early. Send it again")
        for line in self._list.decode().split("\n")[1:-1]:
            digest, _, name = line.split(" ")
            if self._read_back(self._slot + "/" + name) != digest:
                raise PackageRefused(
                    "what was written to flash cannot be read back. If this comes again the flash is worn out"
                )
        with self._files.open(self._slot + "/" + LIST, "wb") as file:
            file.write(self._list)
        self._slots.try_next(self._slot)

    def close(self) -> None:
        """Close what is open; after an error too."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _wanted(self) -> int:
        """Return how many bytes list and signature end at."""
        head = self._head
        if head[: len(MAGIC)] != MAGIC[: len(head)]:
            raise PackageRefused("this is no package of the module's program")
        if len(head) < _HEAD:
            return _HEAD
        listed, signed = head[8] << 8 | head[9], head[10] << 8 | head[11]
        if listed > _MOST_LIST or signed > _MOST_SIGNATURE or not listed:
            raise PackageRefused("the package is broken. Get it again")
        return _HEAD + listed + signed

    def _begin(self) -> None:
        """Check the signature and the number, and empty the slot."""
        listed = self._head[8] << 8 | self._head[9]
        self._list, signature = self._head[_HEAD : _HEAD + listed], self._head[_HEAD + listed :]
        self._head = b""
        if not signature_is_right(self._list, signature, self._modulus):
            raise PackageRefused(
                "the package is not signed with the key that this module knows. Get it where the module's program comes from"
            )
        try:
            lines = self._list.decode().split("\n")[:-1]
            number = int(lines[0].split(" ")[1])
            left = [_file_of(line) for line in lines[1:]]
        except (ValueError, IndexError):
            raise PackageRefused("the package's list cannot be read. Get it again") from None
        here = self._slots.number(self._slots.good())
        if number == here:
            raise PackageRefused("this program is already there")
        if number < here and not self._older:
            raise PackageRefused(
                "this program is older than the one that is there. Say that you want the older one if you do"
            )
        self._slots.forget_trial()
        with suppress(OSError):
            self._files.remove(self._slot + "/" + LIST)
        left.reverse()
        self._left = left
        self._next()

    def _next(self) -> None:
        """Close the file that is there and open the next one."""
        self.close()
        if not self._left:
            return
        self._missing, name = self._left.pop()
        path = self._slot + "/" + name
        at = path.find("/")
        while at > 0:
            with suppress(OSError):
                self._files.mkdir(path[:at])
            at = path.find("/", at + 1)
        self._file = self._files.open(path, "wb")

    def _read_back(self, path: str) -> str:
        found = hashlib.sha256()
        with self._files.open(path, "rb") as file:
            part = file.read(_CHUNK)
            while part:
                found.update(part)
                part = file.read(_CHUNK)
        return found.digest().hex()


def _file_of(line: str) -> tuple[int, str]:
    """Return size and name of a file in a list; raises ValueError for one that must not be."""
    _, size, name = line.split(" ")
    if ".." in name or name.startswith("/") or not 0 <= int(size) <= _MOST_FILE:
        raise ValueError(name)
    return int(size), name
