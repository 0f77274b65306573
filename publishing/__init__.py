"""Publishes a domain's marts: the gate, the versions, and what readers open."""
