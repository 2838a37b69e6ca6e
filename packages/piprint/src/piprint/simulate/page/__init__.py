"""The stand-in's page for people: print a PDF, see queue and requests, let things go wrong.

This room does not know how the OData service answers.
"""
