"""The subcommands of ``osgp``, one module each: words in, calls of the library, lines of text out.

A module here does not know the protocol; what takes long to import is imported by the command that needs it.
"""
