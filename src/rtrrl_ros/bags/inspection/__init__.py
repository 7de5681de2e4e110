"""What is in a bag: topics, timing, events, commands, laps, and what is missing to train on."""
