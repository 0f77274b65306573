"""Sample APIs on loopback: deterministic answers, and faults on demand."""
