"""One file a version; a store of a later version than the last of them is refused."""
