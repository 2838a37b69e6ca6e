"""A read-only file system of MicroPython as bytes: code in it is run where it stands, as code frozen into a firmware is."""


def _number(value):
    found = [value & 0x7F]
    while value := value >> 7:
        found.insert(0, 0x80 | value & 0x7F)
    return bytes(found)


def _record(kind, content):
    return _number(kind) + _number(len(content)) + content


def _folder(path):
    found = b""
    for one in sorted(path.iterdir()):
        name = _number(len(one.name)) + one.name.encode()
        found += _record(4, name + _folder(one)) if one.is_dir() else _record(5, name + _record(2, one.read_bytes()))
    return found


def image(path):
    """Return the image of a folder."""
    content = _folder(path)
    head, size = b"\xd2\xcd\x31", _number(len(content))
    if (len(head) + len(size) + len(content)) % 2:
        size = b"\x80" + size
    return head + size + content
