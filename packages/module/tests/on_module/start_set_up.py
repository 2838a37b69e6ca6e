"""Begins as the chip does, with ports for page and names."""

import sys

import begin

import machine

begin.begin("127.0.0.1", int(sys.argv[1]), int(sys.argv[2]))
machine.reset()
