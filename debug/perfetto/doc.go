// Package perfetto writes a guest's events on a time line for ui.perfetto.dev,
// in the Chrome JSON trace event format, which that and chrome://tracing open.
//
// Time is virtual: a tick is shown as a nanosecond. The track "events" has a slice
// for each exception and interrupt, from its delivery to its handler's IRET; those
// that come while a handler is at work are slices within its slice. A handler that
// is never left by IRET ends where the guest shows that it has left it (see
// debug.Nesting), or with the run. Exceptions that were met during a delivery, and
// became #DF or shutdown, are marks. Counters tell the events by vector, and
// the misses of the TLB.
//
// The format is JSON, not Perfetto's protobuf, since it can be written as a stream
// without knowing the end, read by anybody, and needs no schema; what it lacks
// (interned names) costs size only. A file grows by some 300 bytes with each event
// and 80 with each sample of a counter.
//
// The guest runs at full speed between events.
package perfetto
