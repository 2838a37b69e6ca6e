"""Printers: which there are, what they can do, how a job is put to them and followed, and what they say.

Whoever prints asks :class:`piprint.printers.printer.Printer`; how it is reached stays in here. This room does not know the
journal, nor the calls of Business Central; of that it knows only what is offered there.
"""
