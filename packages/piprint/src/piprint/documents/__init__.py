"""Documents and what belongs to them: are they sound, how large are their pages, on which paper, with which print settings.

PDFs are opened in a process of their own (:mod:`~piprint.documents.process`), as they come from outside. The papers and the
two JSON payloads of Business Central are here because printers, stand-in and configuration all speak of them. This room does
not know jobs, printers or any network.
"""
