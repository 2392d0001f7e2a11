"""The public clients: a service, and the lists and jobs that are made of it."""
