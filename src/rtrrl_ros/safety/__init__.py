"""The command gate: what is not certain is zero on the wheels. Imports neither torch nor ROS."""
