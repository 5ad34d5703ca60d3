// Package grpctest asks the program what gRPC asks of it: a client and a server
// of grpc-go with the binary in between, in the clear and by TLS. It is a module
// of its own, so that nothing else has to carry gRPC; scripts/test runs it.
package grpctest
