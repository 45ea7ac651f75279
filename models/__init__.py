"""Bayesian models of incident series; the catalogue."""
