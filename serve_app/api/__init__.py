"""HTTP: what clients rely on. Requests become values of the domain, events and errors become bytes."""
