"""Questions to the history: curves and energies by local periods, and tables in files.

This package does not know how readings came into the database.
"""
