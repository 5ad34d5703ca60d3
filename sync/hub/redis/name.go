package redis

import "strings"

// Names in Redis: a channel and its history are of one slot, which only the
// channel's name decides, in braces. A brace in it would end that early.
const (
	hashOpens  = "c:{"
	keptOpens  = "h:{"
	hashCloses = "}"
)

var (
	escape   = strings.NewReplacer("%", "%25", "}", "%7D")
	unescape = strings.NewReplacer("%25", "%", "%7D", "}")
)

func (b *Broker) pubsub(channel string) string {
	return b.opt.Prefix + hashOpens + escape.Replace(channel) + hashCloses
}

func (b *Broker) stream(channel string) string {
	return b.opt.Prefix + keptOpens + escape.Replace(channel) + hashCloses
}

// channel is the reverse of pubsub.
func (b *Broker) channel(pubsub string) (name string, ok bool) {
	name, ok = strings.CutPrefix(pubsub, b.opt.Prefix+hashOpens)
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, hashCloses)
	return unescape.Replace(name), ok
}

// slots is how many parts a cluster's keys are in.
const slots = 16384

// slotOf is by what is in the braces of a pubsub name.
func slotOf(pubsub string) int {
	_, tag, _ := strings.Cut(pubsub, "{")
	tag, _, _ = strings.Cut(tag, "}")
	return int(crc16(tag) % slots)
}

// crc16 is that of the cluster specification: XMODEM, polynomial 0x1021.
func crc16(s string) (sum uint16) {
	for i := range len(s) {
		sum ^= uint16(s[i]) << 8
		for range 8 {
			high := sum&0x8000 != 0
			sum <<= 1
			if high {
				sum ^= 0x1021
			}
		}
	}
	return sum
}
