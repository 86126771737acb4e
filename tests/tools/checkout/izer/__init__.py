"""A stand-in for the generator package."""
