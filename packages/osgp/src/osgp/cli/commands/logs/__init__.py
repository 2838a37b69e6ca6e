"""Commands that show what the meter has kept in its logs.

This package does not know how logs are read or shown.
"""
