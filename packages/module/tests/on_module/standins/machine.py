"""Stand-in for MicroPython's ``machine``, as far as what runs without a program needs it."""


class WDT:
    def __init__(self, timeout):
        pass

    def feed(self):
        pass


def reset():
    print("starts again")
    raise SystemExit
