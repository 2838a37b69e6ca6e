"""Prints proofs, what greetings come to, and what a server of RFC 2217 answers."""

import sys

from nesmodule.tap.rfc2217 import Server
from osgp.ports.tap.greeting import Hello, hmac_sha256

TOKEN = b"7kq2-mvx9-t4hp-w3zd"
raw, rfc2217, other, sent = [bytes.fromhex(line.strip()) for line in sys.stdin]
for key in (b"", b"k", bytes(64), bytes(100)):
    print(hmac_sha256(key, b"message").hex())
for said in (raw, rfc2217 + b"rest", other, b"x\n"):
    hello = Hello(TOKEN, bytes(range(16)))
    hello.receive(said)
    print(hello.mode, hello.wrong, list(hello.rest))
server = Server(lambda: b"{}")
print(server.receive(sent).hex())
print(server.to_send().hex())
print(server.dtr, server.rts)
