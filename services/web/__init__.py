"""HTTP: bodies within limits, problems, pages, metrics. Must not know any endpoint."""
