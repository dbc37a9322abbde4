"""Every message of the pipeline: the executable form of the public contract."""
