module multiserver/proxy/binarytest

go 1.26.0
