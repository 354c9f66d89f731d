"""Whether what stands before the camera is a face that is there: the light challenge as eye sees it."""
