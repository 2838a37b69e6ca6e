"""What the services of this repository share, whatever they serve.

A service here is one process that runs for years, reads one configuration file, shows one page, and is looked after by people who are not engineers. What that
takes, and says nothing of meters or printers, is here once:

* the process: ``process`` (start, signals, exit code), ``systemd``, ``log`` (never a secret in it), ``boot``;
* the configuration: ``secret``, ``text_file``, ``toml_lines`` and ``problems`` (what is wrong, and on which line);
* the page's door: ``connections``, ``caller``, ``page`` (host, origin, form of a request; files that all pages load), ``limits`` (guesses, places), ``password``,
  ``sessions``, ``cookies``;
* and ``tls`` (whom a client trusts), ``durations`` (for people).

This package does not know what a service does, which settings it has, or with which web server and which library of settings it works; it needs nothing but Python.
"""

__version__ = "0.1.0"
