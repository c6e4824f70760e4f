"""The local runtime: the stack's real programs as processes under supervisor, no engine and no root."""
