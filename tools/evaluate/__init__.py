"""What the shipped networks achieve on folders of pictures, made by a command: `python -m tools.evaluate`."""
