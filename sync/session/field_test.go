package session

import "testing"

func TestReservedNames(t *testing.T) {
	f := func(name string, want bool) {
		t.Helper()
		if got := Reserved([]byte(name)); got != want {
			t.Errorf("%s: %v", name, got)
		}
		if got := fieldOf([]byte(name)) != fieldNone; got != want {
			t.Errorf("%s is a field: %v", name, got)
		}
	}
	f("X-Session-Data", true)
	f("x-session-set", true)
	f("X_Session_Data", true)
	f("X-SESSION_anything", true)
	f("X-Session-", true)
	f("X-Session", false)
	f("X-Sessions-Data", false)
	f("Session-Data", false)
	f("Y-Session-Data", false)
	f("", false)
}
