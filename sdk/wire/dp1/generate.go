// Package dp1 is the gRPC service of dp1.proto, generated. Generating needs protoc, protoc-gen-go and protoc-gen-go-grpc.
package dp1

//go:generate protoc -I .. --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative dp1.proto
