"""The database file: how it is opened, brought to today's schema, copied, and saved when it is damaged.

This package does not know when readings are written.
"""
