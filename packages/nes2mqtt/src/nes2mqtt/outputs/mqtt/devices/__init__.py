"""Gas, water and heat meters behind the meters: what is published of them and announced to Home Assistant, and in which words.

This package does not know how they are read.
"""
