"""Files on disk or in a bucket, their rows, public links, deletion."""
