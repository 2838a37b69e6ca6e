"""The OData service of the stand-in: addresses, filters, selections, tags, rights; a request in, an answer out.

This room opens no socket, and does not know what the rows are for.
"""
