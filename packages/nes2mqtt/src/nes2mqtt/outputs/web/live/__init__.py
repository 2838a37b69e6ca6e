"""What open pages are told as it happens: the stream, and the last hour for a page that was opened now.

This package does not know the web framework's application.
"""
