"""Runs standard ROS 2 XML launch files where ROS's own launch is absent.

Reading a file, deciding what to start, and running it are three modules: `document`,
`description` and `processes`. Only the last one starts anything.
"""
