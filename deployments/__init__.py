"""How Ray runs ZeroWait: one package per Serve deployment, thin."""
