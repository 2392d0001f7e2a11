"""What the sandbox serves, as OpenAPI: VNTANA by its own text, iTwin and Scenario by ours, for schemathesis."""
