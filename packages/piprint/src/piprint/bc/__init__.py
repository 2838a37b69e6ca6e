"""Business Central: the calls, the logins and the two dialects of the extension."""
