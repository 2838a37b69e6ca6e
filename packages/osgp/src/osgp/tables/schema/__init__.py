"""How a table is described: data types, fields, tables, the dimensions that size them, and parts to read of them.

This package does not know any table by name, and no meter.
"""
