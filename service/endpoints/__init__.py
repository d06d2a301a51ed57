"""The thin skin: paths, status codes and headers, nothing that would be hard to test without."""
