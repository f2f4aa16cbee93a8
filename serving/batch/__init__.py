"""Files in, files out: `yujing score`."""
