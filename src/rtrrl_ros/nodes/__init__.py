"""The ROS 2 nodes: thin, convert, call the core, publish. Only here is rclpy imported.

Every node is one process with one thread, but for encoder and agent, which share one
(`policy_nodes`). `managed_node` holds what they have in common: the lifecycle and parameters;
`process` how a process starts and ends.
"""
