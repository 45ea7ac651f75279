"""Beliefs as data: statements with reasons, and the distributions they stand for."""
