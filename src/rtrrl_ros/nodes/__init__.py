"""The ROS 2 nodes: thin, convert, call the core, publish. Only here is rclpy imported.

Every node is one process with one thread. `managed_node` holds what they have in common: the
lifecycle, parameters, and how a process starts and ends.
"""
