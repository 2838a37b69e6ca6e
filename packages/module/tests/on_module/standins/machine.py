"""Stand-in for MicroPython's ``machine``: the UART is a TCP port of a simulated meter, which stands in the file ``uart``."""

import io
import select
import socket


class Pin:
    IN, OUT, PULL_UP = 0, 1, 2

    def __init__(self, number, mode, pull=None, value=None):
        self.number = number
        self.level = 1
        self.init(mode, value=value)

    def init(self, mode, value=None):
        if value is not None:
            self.value(value)

    def value(self, level=None):
        if level is not None:
            self.level = level
        return self.level


class UART(io.IOBase):
    def __init__(self, number, baud, **pins):
        with open("uart") as file:  # noqa: PTH123 - MicroPython has no pathlib
            host, port = file.read().split(":")
        self.line = socket.socket()
        self.line.connect(socket.getaddrinfo(host, int(port))[0][-1])
        self.line.setblocking(False)

    def init(self, baud, **pins):
        pass

    def ioctl(self, what, flags):
        if what != 3:
            return 0
        poll = select.poll()
        poll.register(self.line, flags)
        for _, found in poll.poll(0):
            return found
        return 0

    def read(self, most):
        try:
            return self.line.recv(most)
        except OSError:
            return None

    def write(self, data):
        return self.line.write(data)


class WDT:
    def __init__(self, timeout):
        pass

    def feed(self):
        pass


def reset_cause():
    return 1


def reset():
    print("starts again")
    raise SystemExit
