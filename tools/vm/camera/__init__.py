"""A USB camera made of one process, plugged into the machine through QEMU's usb-redir.

The guest's side is entirely stock: xhci, uvcvideo, libcamera, picamera2. `plugged.py` is what a test holds in its
hand: plug it in, show it a picture, pull it out. `uvc.py` is the camera as USB sees it, `redir.py` the wire,
`picture.py` what stands before it.
"""
