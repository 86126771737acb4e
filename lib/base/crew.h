// Threads that share one short piece of work after another. They spin for a while before they sleep, so that a piece may
// take a few microseconds.
#ifndef AI8X_BASE_CREW_H
#define AI8X_BASE_CREW_H

struct crew;

// `threads` in all, the caller's included: fewer where the system gives no more. NULL: out of memory.
struct crew *crew_create(unsigned threads);
// NULL is allowed.
void crew_destroy(struct crew *crew);
// Threads that there are; NULL: one, the caller's.
unsigned crew_size(const struct crew *crew);

// Calls work(user, thread, piece) for pieces 0 to pieces - 1, on up to `threads` threads with numbers from 0, the caller's,
// and returns when all are done. Each thread begins with its own share of the pieces, so that it finds in its caches what
// it left there, and helps others afterwards; one that comes too late is not waited for.
void crew_do(struct crew *crew, unsigned threads, unsigned pieces,
             void (*work)(void *user, unsigned thread, unsigned piece), void *user);

// Where a piece's share of `total` begins; that of piece `pieces` is the end of the last one.
static inline unsigned crew_share(unsigned total, unsigned piece, unsigned pieces)
{
	return (unsigned)((unsigned long long)total * piece / pieces);
}

#endif
