// Package memcachedtest starts real memcached servers for tests, on free ports
// of 127.0.0.1 or on a Unix socket. They stop with the test, by their process
// id, or with the process that started them.
//
// Where memcached is missing a test is skipped, except with CI=true, where it
// fails.
package memcachedtest
