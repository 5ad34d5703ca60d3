// Package api is a hub over HTTP: publishing, presence, and what is done with
// connections. The admin listener mounts it, behind its token: nobody else may
// publish from outside.
//
//	api.go      the handler, and its paths
//	publish.go  messages in
//	conns.go    connections and who is in which channel
//	client.go   the other side: what `multiserver publish` sends
//
//	POST   /api/publish?channel=C[&exclude=ID]  a body: text, or bytes if its Content-Type says so
//	POST   /api/publish                         {"items": […]} as Pushpin has it
//	GET    /api/channels                        how many members each has, on all nodes
//	GET    /api/channels/C                      who they are
//	DELETE /api/channels/C                      ends them
//	GET    /api/connections/ID                  one connection
//	POST   /api/connections/ID                  a message to it alone
//	DELETE /api/connections/ID[?code=N&reason=R]
//	PUT    /api/connections/ID/channels/C       makes it a member
//	DELETE /api/connections/ID/channels/C       and ends that
//	DELETE /api/connections?session=S           ends the connections of a session
//
// Names in paths are escaped as in any URL; a / in them as %2F.
//
// It promises: answers are JSON; 200 says that all nodes are told, 202 that only
// this one is for certain, with why in "warning"; 400 says what is wrong and
// how to put it right, 503 that too much is waiting. /publish is the same as
// /api/publish, where senders for Pushpin look for it.
package api
