"""The lowest layer: the loop thread, connections, retries, limits, the disk cache and credentials."""
