"""``piprint demo``: from Print in a stand-in for Business Central to a PDF in a folder, with a private CUPS.

This room starts the parts as processes and watches them; it does not know how any of them works inside.
"""
