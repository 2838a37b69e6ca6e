"""Getting a module into its owner's network: an access point with the key of its label, and one page.

This room does not know the meter or what is published.
"""
