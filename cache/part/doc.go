// Package part says what of a stored answer a request gets: all of it, nothing
// but "304 Not Modified", one range or several, "416 Range Not Satisfiable",
// or nothing before the origin was asked.
//
// It hides preconditions, ranges and partial answers (RFC 9110 §13 to §15.3.7,
// RFC 9111 §3.3, §3.4, §4.3.2). The cache calls Of once for every hit on a
// stored 200 or 206 and writes what the verdict says: the lines of
// Content-Range and the pieces of a multipart body come from here, too. When
// a 206 is to be stored it calls Read, and to complete one Missing and Join.
//
// It promises: nothing here speaks for the origin. Preconditions that only an
// origin may judge are Pass, ranges that the stored part does not cover are
// Incomplete. Bytes of two answers are put together only if both have the same
// strong validator. No byte is sent twice for one request, and no request
// makes more than 16 parts.
//
// What costs what: without conditions and ranges Of is one look at the kinds of
// fields that the request has; otherwise a pass over them, and one more for
// each list of entity tags. Nothing allocates.
package part
