"""The one thread that writes, and what keeps a reading safe until it is in the database and numbered once.

This package does not know how the history is asked.
"""
