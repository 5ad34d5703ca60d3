package acme

import (
	"context"
	"log/slog"

	"go.uber.org/zap/zapcore"
)

// core writes what certmagic says to our log. It says much: what operators are
// to know at Info comes by Authority.note.
type core struct{ to slog.Handler }

func level(e zapcore.Entry) slog.Level {
	// Of a proof that nobody has: any client can ask for one, as often as it likes.
	if e.Level < zapcore.ErrorLevel || e.Message == "tls-alpn challenge" {
		return slog.LevelDebug
	}
	return slog.LevelWarn // it is tried again
}

func (c core) Enabled(zapcore.Level) bool { return true }
func (c core) Sync() error                { return nil }

func (c core) With(fields []zapcore.Field) zapcore.Core {
	return core{c.to.WithAttrs(attrs(fields))}
}

func (c core) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.to.Enabled(context.Background(), level(e)) {
		return to.AddCore(e, c)
	}
	return to
}

func (c core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	r := slog.NewRecord(e.Time, level(e), "acme: "+e.Message, 0)
	r.AddAttrs(attrs(fields)...)
	return c.to.Handle(context.Background(), r)
}

func attrs(fields []zapcore.Field) (out []slog.Attr) {
	all := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(all)
	}
	for _, f := range fields {
		if v, ok := all.Fields[f.Key]; ok {
			out = append(out, slog.Any(f.Key, v))
		}
	}
	return out
}
