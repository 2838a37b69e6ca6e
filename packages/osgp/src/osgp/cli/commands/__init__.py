"""The subcommands of ``osgp``, one module each: words in, calls of the library, lines of text out.

This package does not know the protocol. What takes long to import is imported by the command that needs it.
"""
