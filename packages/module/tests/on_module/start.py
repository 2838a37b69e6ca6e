"""Starts the program with the settings of a file."""

import nesmodule.app

nesmodule.app.main()
