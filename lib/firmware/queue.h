// The FIFO of a block: words or bytes, the oldest first.
#ifndef AI8X_FIRMWARE_QUEUE_H
#define AI8X_FIRMWARE_QUEUE_H

#include <stdint.h>
#include <string.h>

#define QUEUE_MOST 32

struct queue {
	unsigned count;
	uint32_t values[QUEUE_MOST];
};

// What a full one is given is lost.
static inline void queue_push(struct queue *queue, unsigned depth, uint32_t value)
{
	if (queue->count < depth)
		queue->values[queue->count++] = value;
}

// 0 from an empty one.
static inline uint32_t queue_pop(struct queue *queue)
{
	const uint32_t value = queue->count > 0 ? queue->values[0] : 0;
	queue->count -= queue->count > 0;
	memmove(queue->values, queue->values + 1, queue->count * sizeof value);
	return value;
}

#endif
