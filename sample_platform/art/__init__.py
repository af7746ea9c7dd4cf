"""Drawings made at run time: no picture is kept in the repository."""
