"""网络探测: questions put to a site's servers and name servers after its pages were captured; nothing is a verdict."""
