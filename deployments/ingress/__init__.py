"""Ingress: connections, and each question's course."""
