"""IPP (RFC 8010, RFC 8011): the encoding, its registered numbers, and a client that streams documents.

This room does not know which printer is asked, nor what a job of Business Central is.
"""
