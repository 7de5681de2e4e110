"""Putting the parts together: from features and rewards to commands, laps and reports. No ROS."""
