"""Coverage-guided fuzzing of what takes in foreign bytes. README.md says how to run it."""
