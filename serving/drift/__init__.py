"""Drift: is what comes in, and what is answered, still like the reference?"""
