"""Rosbags: read, write, and what is made of recordings. No ROS is needed here."""
