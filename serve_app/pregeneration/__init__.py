"""Answers that are made before they are asked for: jobs in the record, taken by whoever serves, looked at by a person."""
