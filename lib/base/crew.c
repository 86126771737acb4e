// Threads that share one short piece of work after another; see crew.h.
#include "base/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
	SPINS = 1000, // before a thread sleeps: some 10 to 70 us
	LINE = 64,    // bytes that processors hand to each other
};

enum state { IDLE, GIVEN, WORKING, ENDING };

// A thread beside the caller's. It is given work, which it may take as long as nobody has withdrawn it.
struct helper {
	_Alignas(LINE) atomic_uint state;
	_Alignas(LINE) atomic_uint next; // piece of its share to draw
	struct crew *crew;
	unsigned number;
	pthread_t thread;
};

struct crew {
	unsigned helpers;
	atomic_uint sleepers;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	void (*work)(void *user, unsigned thread, unsigned piece);
	void *user;
	unsigned threads, pieces;
	_Alignas(LINE) atomic_uint next; // as a helper's, for the caller's share
	struct helper helper[];
};

static void pause_shortly(void)
{
#ifdef __x86_64__
	__builtin_ia32_pause();
#endif
}

// Waits as long as a helper's state is `state`.
static void wait_while(struct crew *crew, const struct helper *helper, enum state state)
{
	for (unsigned i = 0; i < SPINS; i++) {
		if (atomic_load(&helper->state) != state)
			return;
		pause_shortly();
	}
	(void)pthread_mutex_lock(&crew->mutex);
	(void)atomic_fetch_add(&crew->sleepers, 1);
	while (atomic_load(&helper->state) == state)
		(void)pthread_cond_wait(&crew->changed, &crew->mutex);
	(void)atomic_fetch_sub(&crew->sleepers, 1);
	(void)pthread_mutex_unlock(&crew->mutex);
}

// Either the one who waits sees the new state, or this sees that it sleeps.
static void set_state(struct crew *crew, struct helper *helper, enum state state)
{
	atomic_store(&helper->state, state);
	if (atomic_load(&crew->sleepers) == 0)
		return;
	(void)pthread_mutex_lock(&crew->mutex);
	(void)pthread_cond_broadcast(&crew->changed);
	(void)pthread_mutex_unlock(&crew->mutex);
}

static bool exchange_state(struct helper *helper, enum state from, enum state to)
{
	unsigned expected = from;
	return atomic_compare_exchange_strong(&helper->state, &expected, to);
}

static atomic_uint *next_of(struct crew *crew, unsigned thread)
{
	return thread == 0 ? &crew->next : &crew->helper[thread - 1].next;
}

static void draw_pieces(struct crew *crew, unsigned thread)
{
	for (unsigned k = 0; k < crew->threads; k++) {
		const unsigned whose = (thread + k) % crew->threads;
		const unsigned end = crew_share(crew->pieces, whose + 1, crew->threads);
		for (unsigned piece; (piece = atomic_fetch_add(next_of(crew, whose), 1)) < end;)
			crew->work(crew->user, thread, piece);
	}
}

static void *help(void *argument)
{
	struct helper *helper = argument;
	struct crew *crew = helper->crew;
	for (;;) {
		wait_while(crew, helper, IDLE);
		if (exchange_state(helper, GIVEN, WORKING)) {
			draw_pieces(crew, helper->number);
			set_state(crew, helper, IDLE);
		} else if (atomic_load(&helper->state) == ENDING) {
			return NULL;
		}
	}
}

struct crew *crew_create(unsigned threads)
{
	const size_t size = sizeof(struct crew) + threads * sizeof(struct helper);
	struct crew *crew = aligned_alloc(LINE, (size + LINE - 1) / LINE * LINE);
	if (crew == NULL)
		return NULL;
	*crew = (struct crew){0};
	(void)pthread_mutex_init(&crew->mutex, NULL);
	(void)pthread_cond_init(&crew->changed, NULL);
	bool started = true;
	while (crew->helpers + 1 < threads && started) {
		struct helper *helper = &crew->helper[crew->helpers];
		*helper = (struct helper){.crew = crew, .number = crew->helpers + 1};
		started = pthread_create(&helper->thread, NULL, help, helper) == 0;
		crew->helpers += started;
	}
	return crew;
}

void crew_destroy(struct crew *crew)
{
	if (crew == NULL)
		return;
	for (unsigned i = 0; i < crew->helpers; i++) {
		set_state(crew, &crew->helper[i], ENDING);
		(void)pthread_join(crew->helper[i].thread, NULL);
	}
	(void)pthread_mutex_destroy(&crew->mutex);
	(void)pthread_cond_destroy(&crew->changed);
	free(crew);
}

unsigned crew_size(const struct crew *crew)
{
	return crew != NULL ? crew->helpers + 1 : 1;
}

void crew_do(struct crew *crew, unsigned threads, unsigned pieces,
             void (*work)(void *user, unsigned thread, unsigned piece), void *user)
{
	if (threads < 2 || pieces < 2) {
		for (unsigned piece = 0; piece < pieces; piece++)
			work(user, 0, piece);
		return;
	}
	crew->work = work;
	crew->user = user;
	crew->threads = threads;
	crew->pieces = pieces;
	for (unsigned i = 0; i < threads; i++)
		atomic_store(next_of(crew, i), crew_share(pieces, i, threads));
	for (unsigned i = 0; i + 1 < threads; i++)
		set_state(crew, &crew->helper[i], GIVEN);
	draw_pieces(crew, 0);
	for (unsigned i = 0; i + 1 < threads; i++)
		if (!exchange_state(&crew->helper[i], GIVEN, IDLE))
			wait_while(crew, &crew->helper[i], WORKING);
}
