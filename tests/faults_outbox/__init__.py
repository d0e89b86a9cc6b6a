"""Processes that end between claim, request, accept and settle: is a nudge ever sent twice, or left open?"""
