"""Who may ask, and how: the gate before every request, the login, the headers of every reply.

This package does not know what is asked for.
"""
