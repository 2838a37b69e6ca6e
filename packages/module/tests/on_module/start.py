"""Starts the program with the settings of a file."""

import program

program.main()
