"""Java in this process: finding, starting, its signals and forks. Nothing here knows of loops."""
