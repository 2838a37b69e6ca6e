"""Turns a module of ours into one that MicroPython can import, without a change in what it does.

The input is the source as it stands. Names are looked up in the imported module, so a rule knows what is a
dataclass, an enumeration or a mere type. What MicroPython lacks is listed in :mod:`nesmodule_build.rewrite.lacking`; anything
unknown is refused, so the build fails and nothing wrong gets on a module.

This room does not know which modules are rewritten, what they do, or where they go.
"""
