package admin

import (
	"net/http/pprof"

	"github.com/valyala/fasthttp/fasthttpadaptor"
)

// profileIndex lists the profiles. fasthttp's own pprofhandler answers the
// index with 404, since its path ends in a slash; the rest is its work.
var profileIndex = fasthttpadaptor.NewFastHTTPHandlerFunc(pprof.Index)
