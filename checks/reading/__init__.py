"""What the checks read out of the facts of a page and out of the answers of probes, without knowing of any visit."""
