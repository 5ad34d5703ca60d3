package redis

import (
	"strings"
	"testing"
)

func TestNamesAreOfOneSlotAndComeBack(t *testing.T) {
	b := New(nil, Options{})
	for _, channel := range []string{"a", "room:1", "{a}", "}", "{}", "a{b}c%7D%", "\x00\xff", strings.Repeat("x", 255)} {
		name := b.pubsub(channel)
		if got, ok := b.channel(name); got != channel || !ok {
			t.Errorf("%q comes back as %q", channel, got)
		}
		if slotOf(name) != slotOf(b.stream(channel)) {
			t.Errorf("%q and its history are apart", channel)
		}
	}
	if _, ok := b.channel("other:c:{a}"); ok {
		t.Error("others' channels are ours")
	}
	// As CLUSTER KEYSLOT has them.
	for key, want := range map[string]int{"{123456789}": 0x31c3 % slots, "{foo}": 12182, "{room:1}": slotOf("x{room:1}")} {
		if got := slotOf(key); got != want {
			t.Errorf("%s: slot %d, want %d", key, got, want)
		}
	}
}
