package server

import (
	"multiserver/proxy/admin"
	"multiserver/sync/hub"
)

// metrics are the hub's; there may be none.
func (h *hubs) metrics(m *admin.Metrics) {
	if h == nil {
		return
	}
	st := &h.Stats
	m.Gauge("multiserver_hub_up", "1 while other nodes can be reached.", flag(h.Up()))
	m.Gauge("multiserver_hub_members", "Connections that messages are shown to.", float64(st.Members.Load()))
	m.Gauge("multiserver_hub_streams", "Of these, event streams.", float64(h.flows.count()))
	m.Gauge("multiserver_hub_channels", "Channels with members on this node.", float64(st.Channels.Load()))
	m.Counter("multiserver_hub_published_total", "Messages that came to this node to be published.", st.Published.Load())
	m.Counter("multiserver_hub_unshared_total", "Of these, messages that other nodes may not have got.", st.Unshared.Load())
	m.Counter("multiserver_hub_received_total", "Messages from other nodes.", st.Received.Load())
	const deliveries = "Messages to members, by what became of them."
	m.Counter("multiserver_hub_deliveries_total", deliveries, st.Written.Load(), "result", "written")
	m.Counter("multiserver_hub_deliveries_total", deliveries, st.Queued.Load(), "result", "queued")
	m.Counter("multiserver_hub_deliveries_total", deliveries, st.Evicted.Load(), "result", "evicted")
	m.Counter("multiserver_hub_deliveries_total", deliveries, st.Dropped.Load(), "result", "dropped")
	st.Refused(func(r hub.Reason, n uint64) {
		m.Counter("multiserver_hub_refused_total", "What was refused, and clients that were not spoken to any more, by reason.", n, "reason", r.String())
	})
	m.Counter("multiserver_hub_gaps_total", "Gaps in what is kept that were found, and looked into.", st.Gaps.Load())
	m.Counter("multiserver_hub_replayed_total", "Messages shown late because of one.", st.Replayed.Load())
	m.Counter("multiserver_hub_lost_total", "Kept messages that could not be had any more.", st.Lost.Load())
	m.Counter("multiserver_hub_resumed_total", "Clients that came back with an id.", st.Resumed.Load())
	m.Counter("multiserver_hub_resets_total", "Of these, clients that were told that it says nothing any more.", st.Resets.Load())
	if b := h.redis; b != nil {
		m.Gauge("multiserver_hub_redis_lanes", "Connections to Redis that messages come over.", float64(b.Stats.Lanes.Load()))
		m.Counter("multiserver_hub_redis_lanes_lost_total", "Of these, connections that were lost.", b.Stats.LanesLost.Load())
		m.Counter("multiserver_hub_redis_subscribed_total", "Channels subscribed to, each time.", b.Stats.Subscribed.Load())
		m.Counter("multiserver_hub_redis_refused_total", "Subscriptions that Redis did not want.", b.Stats.Refused.Load())
	}
	if b := h.mongo; b != nil {
		m.Counter("multiserver_hub_mongo_losses_total", "Losses of the link to MongoDB, or of messages on their way.", b.Stats.Losses.Load())
		m.Counter("multiserver_hub_mongo_failed_total", "Batches that could not be written.", b.Stats.Failed.Load())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for route, s := range h.bridges {
		s.metrics(m, route)
	}
}

func (s *span) metrics(m *admin.Metrics, route string) {
	st, of := &s.bridge.Stats, []string{"route", route}
	m.Gauge("multiserver_hub_bridge_rooms", "Paths in use.", float64(st.Rooms.Load()), of...)
	m.Gauge("multiserver_hub_bridge_ears", "Silent connections to instances that are open.", float64(st.Ears.Load()), of...)
	m.Counter("multiserver_hub_bridge_heard_total", "Messages heard from instances.", st.Heard.Load(), of...)
	m.Counter("multiserver_hub_bridge_lost_total", "Silent connections that ended by themselves.", st.Lost.Load(), of...)
	m.Counter("multiserver_hub_bridge_refused_total", "Handshakes of silent connections that did not succeed.", st.NotLet.Load(), of...)
	m.Counter("multiserver_hub_bridge_full_total", "Clients that are not bridged, as too many paths are in use.", st.RoomsFull.Load(), of...)
	m.Counter("multiserver_hub_bridge_shared_total", "Messages of other nodes' instances that were shown.", st.Shared.Load(), of...)
}
