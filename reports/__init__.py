"""A plain brief in, pages out: HTML, PDF and notebook with the same numbers."""
