"""Worlds whose law is known, so that a forecast can be held against what anybody could have said."""
