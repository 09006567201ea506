"""The servers under load, each alone in its process: `python -m servers.echo --loop uvloop …`."""
