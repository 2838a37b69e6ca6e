"""The meter's line for a program elsewhere: raw, or by RFC 2217. One program at a time, none without the token.

This room does not know tables or values: while the line is lent, the module reads nothing itself.
"""
