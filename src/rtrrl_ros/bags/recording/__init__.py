"""Recording while messages come in, and the black box."""
