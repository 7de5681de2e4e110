"""Where a real car is: poses against a recorded reference line, or the line in an event frame.

No ROS, and no simulated world: what is here runs on the car.
"""
