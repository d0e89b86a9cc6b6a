"""Histories: random programs of a small server, played on the real services, against a plain calculation."""
