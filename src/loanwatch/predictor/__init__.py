"""The inference service: scores applications online and in batches, remembers what it decided, and says why."""
