"""Asset lists, image batches and (later) jobs: what the services give, made into what a person works with."""
