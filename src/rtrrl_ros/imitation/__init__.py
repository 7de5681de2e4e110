"""Before the drive: demonstrations, behavioural cloning, and a first critic."""
