"""What each of the eight stages does, one file each."""
