"""What ZeroWait does. How Ray runs it is in `deployments`; the two meet in `serve_app.graph`."""
