"""The journal: each step of each job is on disk before the next is taken, so that a kill at any moment loses nothing.

SQLite and a folder of documents, behind :class:`piprint.journal.store.Journal`. Which step may follow which is a table
(:mod:`~piprint.journal.steps`). This room does not know why a step is taken, and asks neither Business Central nor a printer.
"""
