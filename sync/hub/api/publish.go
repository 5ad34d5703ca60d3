package api

import (
	"bytes"
	"strings"

	"multiserver/sync/hub"
)

// publish takes one message for the channel that the query names, or items.
func (c *call) publish() {
	channel := string(c.QueryArgs().Peek("channel"))
	if channel == "" {
		c.items()
		return
	}
	id, err := c.hub.Publish(c.until, hub.Post{
		Channel: channel,
		Kind:    kindOf(string(c.Request.Header.ContentType())),
		Exclude: string(c.QueryArgs().Peek("exclude")),
		Data:    c.PostBody(),
	})
	var o outcome
	if id != (hub.ID{}) {
		o.ID = id.String()
	}
	c.finish(o, err)
}

// items stops at the first that is refused, and says which.
func (c *call) items() {
	items, err := hub.ParseItems(c.PostBody())
	if err != nil {
		hint := ""
		if !bytes.HasPrefix(bytes.TrimSpace(c.PostBody()), []byte("{")) {
			hint = "; one message takes ?channel=NAME"
		}
		c.refuse(400, err.Error()+hint)
		return
	}
	o := outcome{}
	var unshared error
	for _, item := range items {
		if item.Close {
			err = c.hub.Disconnect(c.until, hub.Target{Channel: item.Channel}, item.Code, item.Reason)
		} else {
			_, err = c.hub.Publish(c.until, item.Post)
		}
		if _, refused := err.(hub.Reason); refused {
			c.finish(o, err)
			return
		}
		if err != nil {
			unshared = err
		}
		o.Items++
	}
	c.finish(o, unshared)
}

// kindOf is what a body is by its Content-Type: text, unless that says that it
// is not.
func kindOf(contentType string) hub.Kind {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	switch {
	case media == "", strings.HasPrefix(media, "text/"), strings.HasSuffix(media, "json"), strings.HasSuffix(media, "xml"),
		media == "application/x-www-form-urlencoded": // what curl -d says of anything
		return hub.Text
	}
	return hub.Binary
}
