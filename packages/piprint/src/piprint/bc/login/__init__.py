"""Logging in to Business Central: tokens from Microsoft Entra, by a secret or a certificate, or a user name and password.

This room does not know what the login is used for.
"""
