package grpctest

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type msg = wrapperspb.BytesValue

func bytesOf(s string) *msg { return wrapperspb.Bytes([]byte(s)) }

// upstream is a gRPC server: echo in all four shapes, and what goes wrong.
type upstream struct {
	*grpc.Server
	addr string
	ln   *cutter

	cancelled chan error         // how Hang's contexts ended
	deadline  chan time.Duration // that Hang was given
	sent      atomic.Int64       // messages of Flood
}

func startUpstream(t *testing.T, id *identity) *upstream {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveUpstream(t, ln, id)
}

func serveUpstream(t *testing.T, ln net.Listener, id *identity) *upstream {
	opts := []grpc.ServerOption{grpc.MaxRecvMsgSize(8 << 20)}
	if id != nil {
		opts = append(opts, grpc.Creds(credentials.NewServerTLSFromCert(&id.cert)))
	}
	u := &upstream{
		Server: grpc.NewServer(opts...), addr: ln.Addr().String(), ln: &cutter{Listener: ln},
		cancelled: make(chan error, 200), deadline: make(chan time.Duration, 200),
	}
	u.RegisterService(&service, u)
	var wg sync.WaitGroup
	wg.Go(func() { _ = u.Serve(u.ln) })
	t.Cleanup(func() { u.Stop(); wg.Wait() })
	return u
}

// cutter can break all connections.
type cutter struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (c *cutter) Accept() (net.Conn, error) {
	nc, err := c.Listener.Accept()
	if err == nil {
		c.mu.Lock()
		c.conns = append(c.conns, nc)
		c.mu.Unlock()
	}
	return nc, err
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, nc := range c.conns {
		_ = nc.(*net.TCPConn).SetLinger(0)
		_ = nc.Close()
	}
	c.conns = nil
}

func (c *cutter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns)
}

var service = grpc.ServiceDesc{
	ServiceName: "test.Echo",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		unary("Unary", func(_ *upstream, ctx context.Context, m *msg) (*msg, error) {
			in, _ := metadata.FromIncomingContext(ctx)
			_ = grpc.SetHeader(ctx, metadata.Pairs("x-head", "h", "x-head-bin", "\x00\xff", "x-echo-bin", first(in["x-ask-bin"])))
			_ = grpc.SetTrailer(ctx, metadata.Pairs("x-tail", "t", "x-tail-bin", "\x01\xfe", "x-echo", first(in["x-ask"])))
			return m, nil
		}),
		unary("Fail", func(_ *upstream, ctx context.Context, m *msg) (*msg, error) {
			_ = grpc.SetTrailer(ctx, metadata.Pairs("x-tail", "t"))
			st, _ := status.New(codes.FailedPrecondition, "nein: \"ä\" %").WithDetails(durationpb.New(time.Second))
			return nil, st.Err()
		}),
		unary("Hang", func(u *upstream, ctx context.Context, m *msg) (*msg, error) {
			at, _ := ctx.Deadline()
			u.deadline <- time.Until(at)
			<-ctx.Done()
			u.cancelled <- ctx.Err()
			return nil, ctx.Err()
		}),
		unary("Sleep", func(_ *upstream, ctx context.Context, m *msg) (*msg, error) {
			time.Sleep(time.Duration(len(m.Value)) * time.Millisecond)
			return m, nil
		}),
	},
	Streams: []grpc.StreamDesc{
		{StreamName: "Collect", ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			var all []byte
			for {
				var m msg
				switch err := s.RecvMsg(&m); err {
				case nil:
					all = append(all, m.Value...)
				case io.EOF:
					return s.SendMsg(wrapperspb.Bytes(all))
				default:
					return err
				}
			}
		}},
		{StreamName: "Spell", ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			var m msg
			if err := s.RecvMsg(&m); err != nil {
				return err
			}
			for i := range m.Value {
				if err := s.SendMsg(wrapperspb.Bytes(m.Value[i : i+1])); err != nil {
					return err
				}
			}
			s.SetTrailer(metadata.Pairs("x-tail", "t"))
			return nil
		}},
		{StreamName: "Flood", ServerStreams: true, Handler: func(u any, s grpc.ServerStream) error {
			m := wrapperspb.Bytes(make([]byte, 16<<10))
			for {
				if err := s.SendMsg(m); err != nil {
					u.(*upstream).cancelled <- err
					return err
				}
				u.(*upstream).sent.Add(1)
			}
		}},
		{StreamName: "Talk", ServerStreams: true, ClientStreams: true, Handler: talk},
	},
}

// talk echoes; "fail" and "bye" end it although the client may go on.
func talk(u any, s grpc.ServerStream) error {
	for {
		var m msg
		switch err := s.RecvMsg(&m); {
		case err == io.EOF:
			s.SetTrailer(metadata.Pairs("x-tail", "t"))
			return nil
		case err != nil:
			u.(*upstream).cancelled <- err
			return err
		}
		switch string(m.Value) {
		case "fail":
			return status.Error(codes.Aborted, "as asked")
		case "bye":
			return nil
		}
		if err := s.SendMsg(&m); err != nil {
			return err
		}
	}
}

func unary(name string, f func(*upstream, context.Context, *msg) (*msg, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(u any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var m msg
		if err := dec(&m); err != nil {
			return nil, err
		}
		return f(u.(*upstream), ctx, &m)
	}}
}

func first(v []string) string {
	if len(v) == 0 {
		return ""
	}
	return v[0]
}
