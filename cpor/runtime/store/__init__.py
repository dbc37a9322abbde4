"""The local store of a task: committed rows, timers, index entries checkpoints. A cache: the topics are the truth."""
