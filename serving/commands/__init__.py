"""The commands of `yujing`, a file each."""
