"""The AL extension of the stand-in: its tables, the guards of its actions, and what people do in its pages.

This room does not know OData or HTTP.
"""
