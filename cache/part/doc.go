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
// origin may judge, and ranges that the stored part does not cover, are Pass.
// A 304 is never given for what only looks alike, except for validators that
// are malformed alike. Bytes of two answers are put together only if both have
// the same strong validator. A request costs its answer's length at most, plus
// less than 8 KiB for the heads of 16 parts.
//
// What costs what: Of is one pass over the request's fields, a comparison of
// lengths each, if there are no conditions; nothing allocates.
package part
