"""Entry point, as in a real checkout; ai8xsim-export only looks whether it is there."""
