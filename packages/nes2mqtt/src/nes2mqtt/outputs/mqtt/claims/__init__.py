"""Which topics are whose: what other gateways say of theirs (``instances``), and what we left behind in ours (``leftovers``).

This package does not know what is published.
"""
