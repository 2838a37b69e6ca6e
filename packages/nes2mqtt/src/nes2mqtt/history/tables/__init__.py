"""What stands in the database: samples as rows and packed blocks, roll-ups of them, and what is thrown away when.

This package does not know how the database is opened, nor which thread asks.
"""
