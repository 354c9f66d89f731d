"""Trying out attacks at the door: what desk carries, how the person is led through it, and what is written down."""
