// Package stale tells of accesses that go through a TLB entry which memory no
// longer supports: the tables say by now that there is no page, another frame, or
// no such right, and the guest has left out the flush that would have told the
// processor.
//
// What counts is the access. An entry that has become stale and is not used, or is
// used for what the tables still allow, is nobody's loss; nor is one that allows less
// than the tables do, or that has A or D set where they are clear again: there the
// manual leaves the flush to the software's discretion. Of an entry from before the
// watch it is not known when and by which tables it was made; that is said.
// [SDM 3A, Recommended Invalidation; Optional Invalidation]
//
// A Watcher sees every walk, every store into a table that a walk has read, and
// every first use of an entry after such a store or after a load of CR3. While it
// watches, instructions go one by one; what the machine does is the same.
package stale
