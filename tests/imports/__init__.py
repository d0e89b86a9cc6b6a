"""Imports of parts against one import of all: over random histories, and over the larger samples cut in every way."""
