package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"multiserver/sync/hub"
)

// Client publishes from another process, over a node's admin listener.
type Client struct {
	URL   string // http://host:port of the admin listener
	Token string // its token; "": it asks for none
	HTTP  *http.Client
}

// Publish sends one message. id is empty where nothing is kept; warning says
// that only the node which was asked has shown it for certain.
func (c *Client) Publish(ctx context.Context, p hub.Post) (id, warning string, err error) {
	query := url.Values{"channel": {p.Channel}}
	if p.Exclude != "" {
		query.Set("exclude", p.Exclude)
	}
	req, err := http.NewRequestWithContext(ctx, "POST", c.URL+"/api/publish?"+query.Encode(), bytes.NewReader(p.Data))
	if err != nil {
		return "", "", err
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	if p.Kind == hub.Binary {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return c.do(req)
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

func (c *Client) do(req *http.Request) (id, warning string, err error) {
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return "", "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return "", "", err
	}
	var answer struct{ ID, Warning, Error string }
	if err := json.Unmarshal(body, &answer); err != nil || res.StatusCode >= 300 {
		said := answer.Error
		if said == "" {
			said = string(bytes.TrimSpace(body[:min(len(body), 200)]))
		}
		return "", "", fmt.Errorf("publish to %s: %s: %s", c.URL, res.Status, said)
	}
	return answer.ID, answer.Warning, nil
}
