"""``piprint doctor`` and ``piprint report``: how everything that printing needs is, and how to mend what is wrong.

Each part of an examination returns findings, and :mod:`~piprint.doctor.examination` puts them in order. Nothing is printed,
claimed or changed. This room does not know a running processor from inside: it asks the page, as anybody may.
"""
