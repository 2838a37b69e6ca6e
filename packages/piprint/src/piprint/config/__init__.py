"""The configuration file and what it may say: read, checked, and explained line by line where it is wrong.

The settings are typed models (:mod:`~piprint.config.settings`); reading the file, naming the wrong line and writing the first
file are beside them. This room does not know what the settings are used for, and opens no connection.
"""
