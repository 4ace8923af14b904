"""The demo shop: customers, orders and knowledge that the project makes itself, from a seed."""
