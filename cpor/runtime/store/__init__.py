"""The local store of a task: committed rows, timers, index entries and checkpoints. A cache: the topics are the truth."""
