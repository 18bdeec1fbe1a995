"""The revisions, one file each, named by their number; a file is never changed once it has been released."""
