"""The three ways to a printer: IPP (CUPS, IPP Everywhere), a TCP port, and the Windows spooler.

Each is a :class:`piprint.printers.printer.Printer`. This room does not know how printers are found, nor what a user has
chosen.
"""
