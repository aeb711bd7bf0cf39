"""Publishing: what was committed, into the signed record; its keeper's requests; its witnesses."""
