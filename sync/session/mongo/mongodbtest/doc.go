// Package mongodbtest starts servers for tests that speak as MongoDB does: the
// program of sync/session/mongotest, which tells what it is and is not. They
// listen on free ports of 127.0.0.1, keep their data in a directory of the
// test, also over a restart, and stop with the test or with the process that
// started them.
//
// The program is built by the first test that wants it, for minutes if Go's
// build cache has nothing of it; scripts/test builds it before. Where it cannot
// be built a test is skipped, except with CI=true, where it fails.
package mongodbtest
