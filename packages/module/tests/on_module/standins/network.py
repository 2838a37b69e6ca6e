"""Stand-in for MicroPython's ``network``: what is in the air stands in a file, each network with its password."""

import json

STA_IF, AP_IF = 0, 1
STAT_WRONG_PASSWORD, STAT_NO_AP_FOUND, STAT_GOT_IP = 202, 201, 1010


def hostname(name):
    print("name", name)


class WLAN:
    def __init__(self, which):
        self.point = which == AP_IF
        self.there = False
        self.state = 0
        self.settings = {"mac": b"\x24\x0a\xc4\x12\x34\x56", "security": 0}

    def active(self, on):
        if on and self.point:
            print("point open", self.settings["ssid"], self.settings["key"], self.settings["security"])

    def config(self, name=None, **settings):
        self.settings.update(settings)
        return self.settings.get(name)

    def ifconfig(self):
        return ("192.168.4.1" if self.point else "192.168.1.7", "255.255.255.0", "192.168.1.1", "192.168.1.1")

    def scan(self):
        return [
            (b"Nebenan", b"", 1, -80, 3, 0), (b"", b"", 1, -50, 3, 1), (b"Heim", b"", 6, -60, 3, 0), (b"Heim", b"", 6, -70, 3, 0), (b"\xff\xfe", b"", 6, -75, 3, 0),
        ]  # fmt: skip

    def disconnect(self):
        self.there = False

    def connect(self, name, password):
        with open("air.json") as file:  # noqa: PTH123 - MicroPython has no pathlib
            air = json.load(file)
        self.there = air.get(name) == password
        self.state = STAT_GOT_IP if self.there else STAT_WRONG_PASSWORD if name in air else STAT_NO_AP_FOUND

    def isconnected(self):
        with open("air.json") as file:  # noqa: PTH123 - MicroPython has no pathlib
            self.there = self.there and bool(json.load(file))
        return self.there

    def status(self):
        return self.state
