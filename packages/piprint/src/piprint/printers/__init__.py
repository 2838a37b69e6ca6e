"""Printers: what they can do, how a job is put to them, and where they are found."""
